//! Types that are derived from lists instead of being written out: the registry entries that the
//! executor's macros would have made.
//!
//! The schema has a mutation per command, and per kind of object a field, a list, a filter and an
//! order. All of them follow from what commands and rows say of themselves, so one generic
//! function each stands here instead of hundreds of alike resolvers. The types are static all the
//! same: names and shapes are fixed when the schema is built, and checked like any other.

use async_graphql::registry::{MetaEnumValue, MetaField, MetaInputValue, MetaType, Registry};

/// A field of an object.
pub(super) fn field(name: &str, description: &str, ty: String) -> MetaField {
    MetaField {
        name: name.to_owned(),
        description: Some(description.to_owned()),
        args: Default::default(),
        ty,
        deprecation: Default::default(),
        cache_control: Default::default(),
        external: false,
        requires: None,
        provides: None,
        visible: None,
        shareable: false,
        inaccessible: false,
        tags: Vec::new(),
        override_from: None,
        compute_complexity: None,
        directive_invocations: Vec::new(),
        requires_scopes: Vec::new(),
    }
}

/// A field of an input object, or an argument.
pub(super) fn input(name: &str, description: &str, ty: String) -> MetaInputValue {
    MetaInputValue {
        name: name.to_owned(),
        description: Some(description.to_owned()),
        ty,
        deprecation: Default::default(),
        default_value: None,
        visible: None,
        inaccessible: false,
        tags: Vec::new(),
        is_secret: false,
        directive_invocations: Vec::new(),
    }
}

/// An object type.
pub(super) fn object(name: &str, description: &str, fields: Vec<MetaField>) -> MetaType {
    MetaType::Object {
        name: name.to_owned(),
        description: Some(description.to_owned()),
        fields: fields
            .into_iter()
            .map(|field| (field.name.clone(), field))
            .collect(),
        cache_control: Default::default(),
        extends: false,
        shareable: false,
        resolvable: true,
        keys: None,
        visible: None,
        inaccessible: false,
        interface_object: false,
        tags: Vec::new(),
        is_subscription: false,
        rust_typename: None,
        directive_invocations: Vec::new(),
        requires_scopes: Vec::new(),
    }
}

/// An input object type.
pub(super) fn input_object(name: &str, description: &str, fields: Vec<MetaInputValue>) -> MetaType {
    MetaType::InputObject {
        name: name.to_owned(),
        description: Some(description.to_owned()),
        input_fields: fields
            .into_iter()
            .map(|field| (field.name.clone(), field))
            .collect(),
        visible: None,
        inaccessible: false,
        tags: Vec::new(),
        rust_typename: None,
        oneof: false,
        directive_invocations: Vec::new(),
    }
}

/// An enum type, of names with descriptions.
pub(super) fn enumeration(name: &str, description: &str, values: &[(String, &str)]) -> MetaType {
    let value = |(name, description): &(String, &str)| {
        let value = MetaEnumValue {
            name: name.clone(),
            description: Some((*description).to_owned()),
            deprecation: Default::default(),
            visible: None,
            inaccessible: false,
            tags: Vec::new(),
            directive_invocations: Vec::new(),
        };
        (name.clone(), value)
    };
    MetaType::Enum {
        name: name.to_owned(),
        description: Some(description.to_owned()),
        enum_values: values.iter().map(value).collect(),
        visible: None,
        inaccessible: false,
        tags: Vec::new(),
        rust_typename: None,
        directive_invocations: Vec::new(),
        requires_scopes: Vec::new(),
    }
}

/// Enters a type unless it is there already.
pub(super) fn enter(
    registry: &mut Registry,
    name: &str,
    make: impl FnOnce(&mut Registry) -> MetaType,
) {
    if registry.types.contains_key(name) {
        return;
    }
    // Entered empty first, because types refer to each other in circles.
    registry
        .types
        .insert(name.to_owned(), object(name, "", Vec::new()));
    let made = make(registry);
    registry.types.insert(name.to_owned(), made);
}

/// A column's name in the API: snake case becomes camel case.
pub(super) fn camel(snake: &str) -> String {
    let mut words = snake.split('_');
    let mut name = words.next().unwrap_or_default().to_owned();
    for word in words {
        let mut letters = word.chars();
        name.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        name.push_str(letters.as_str());
    }
    name
}

/// Whether a name is the camel case of another one in snake case or in capitals; makes nothing of
/// either, because every request asks it many times.
pub(super) fn is_camel(name: &str, snake: &str) -> bool {
    let mut name = name.bytes();
    let mut begins_word = false;
    for byte in snake.bytes() {
        if byte == b'_' {
            begins_word = true;
            continue;
        }
        let wanted = match std::mem::take(&mut begins_word) {
            true => byte.to_ascii_uppercase(),
            false => byte.to_ascii_lowercase(),
        };
        if name.next() != Some(wanted) {
            return false;
        }
    }
    name.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::{camel, is_camel};

    #[test]
    fn a_name_is_recognised_by_what_it_was_made_of() {
        for snake in ["id", "customer", "stock_item", "price_list_entry"] {
            assert!(is_camel(&camel(snake), snake));
            assert!(is_camel(&camel(snake), &snake.to_uppercase()));
            assert!(!is_camel(&camel(snake), "stock"));
            assert!(!is_camel(snake, "stock_items"));
        }
        assert!(!is_camel("stockitem", "stock_item"));
        assert!(!is_camel("stockItems", "stock_item"));
    }
}
