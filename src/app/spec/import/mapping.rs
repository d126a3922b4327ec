use crate::import::{Mapping, MappingError};

/// A mapping with one step that registers customers, with a place for something wrong.
fn mapping(tables: &str, step: &str, fields: &str) -> Result<Mapping, MappingError> {
    Mapping::parse(&format!(
        "namespace = 'spec'\n[sources.customers]\n{tables}\n[[steps]]\nname = 'customers'\n\
         source = 'customers'\nkey = '{{id}}'\n{step}\n[[steps.commands]]\n\
         command = 'RegisterCustomer'\n[steps.commands.fields]\n{fields}\n"
    ))
}

#[track_caller]
fn refused(mapping: Result<Mapping, MappingError>, code: &str, path: &str, says: &str) {
    let error = mapping.unwrap_err();
    assert_eq!((error.code(), error.path.as_str()), (code, path), "{error}");
    assert!(error.to_string().contains(says), "{error}");
}

const NAME: &str = "details.name = '{name}'";
const FIELDS: &str = "steps[0].commands[0].fields";

#[test]
fn the_example_of_the_reference_is_a_mapping() {
    let reference = include_str!("../../import/mod.rs");
    let example = reference.split("```toml").nth(1).unwrap();
    let example = example.split("//! ```").next().unwrap();
    let example = example.replace("//! ", "").replace("//!", "");
    let mapping = Mapping::parse(&example).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(mapping.steps(), ["customers", "orders"]);
    assert_eq!(
        mapping.files(),
        [
            "customers.csv",
            "export/orders.txt",
            "lines.ndjson",
            "staff.csv"
        ]
    );
}

#[test]
fn what_is_not_toml_is_said_with_its_line() {
    let error = Mapping::parse("namespace = 'x'\nsteps = [").unwrap_err();
    assert_eq!(error.code(), "IMPORT_MAPPING_SYNTAX");
    assert!(
        error.to_string().starts_with("TOML parse error at line 2"),
        "{error}"
    );
}

#[test]
fn unknown_keys_are_refused_with_those_that_exist() {
    let code = "IMPORT_MAPPING_SYNTAX";
    refused(
        mapping("", "colour = 1", NAME),
        code,
        "steps[0].colour",
        "`group_by`",
    );
    let raw = mapping("[sources.x]\nencoding = 'latin1'", "", NAME);
    refused(raw, code, "sources.x.encoding", "gb18030");
    let raw = mapping("", "", "details.name = { column = 'name', kind = 'text' }");
    refused(raw, code, &format!("{FIELDS}.details.name.kind"), "`as`");
}

#[test]
fn commands_and_fields_are_those_of_the_language() {
    let unknown = mapping("", "", NAME).map(drop);
    assert!(unknown.is_ok());
    let text = "namespace = 'x'\n[[steps]]\nname = 'a'\nkey = 'a'\n[[steps.commands]]\n\
                command = 'RegisterCostumer'";
    let raw = Mapping::parse(text);
    let code = "IMPORT_MAPPING_UNKNOWN_COMMAND";
    refused(
        raw,
        code,
        "steps[0].commands[0].command",
        "RegisterCustomer",
    );

    let code = "IMPORT_MAPPING_UNKNOWN_FIELD";
    let at = |field: &str| format!("{FIELDS}.{field}");
    let raw = mapping("", "", "details.nmae = 'x'");
    refused(raw, code, &at("details.nmae"), "taxNumber");
    let raw = mapping("", "", "'details.address.town' = 'x'");
    refused(raw, code, &at("details.address.town"), "city");
    let raw = mapping("", "", "details.name.first = 'x'");
    refused(raw, code, &at("details.name.first"), "none here");
    let raw = mapping("", "", "details.name = 'x'\ncontacts = [{ nick = 'x' }]");
    refused(raw, code, &at("contacts[0].nick"), "title");
}

#[test]
fn required_fields_are_mapped_and_each_field_once() {
    let code = "IMPORT_MAPPING_MISSING_FIELD";
    refused(mapping("", "", "owner = 'x'"), code, FIELDS, "`details`");
    let code = "IMPORT_MAPPING_INVALID";
    let raw = mapping("", "", "details.name = '{a}'\n'details.name' = '{b}'");
    refused(raw, code, FIELDS, "details.name");
}

#[test]
fn names_refer_to_something() {
    let code = "IMPORT_MAPPING_UNKNOWN_REFERENCE";
    let raw = mapping("[tables]\nt = { source = 'staff', key = '{id}' }", "", NAME);
    refused(raw, code, "tables.t.source", "customers");
    let raw = mapping("", "join = [{ table = 'staff', key = '{id}' }]", NAME);
    refused(raw, code, "steps[0].join[0].table", "none here");
    let raw = mapping(
        "",
        "",
        &format!("{NAME}\nowner = {{ id = 'costumer', key = 'x' }}"),
    );
    refused(raw, code, &format!("{FIELDS}.owner"), "customer, ");
    let text = "namespace = 'x'\n[[steps]]\nname = 'a'\nkey = '{id}'\n[[steps.commands]]\n\
                command = 'RegisterCustomer'\nfields = { details = { name = 'x' } }";
    refused(Mapping::parse(text), code, "steps[0].key", "column `id`");
}

#[test]
fn values_make_sense_at_their_places() {
    let code = "IMPORT_MAPPING_INVALID";
    let at = |field: &str| format!("{FIELDS}.{field}");
    let owner = |value: &str| mapping("", "", &format!("{NAME}\nowner = {value}"));
    refused(owner("'{x'"), code, &at("owner"), "partner");
    refused(
        owner("{ column = 'a', template = 'b' }"),
        code,
        &at("owner"),
        "has one of",
    );
    refused(
        owner("{ column = 'a', number = '1' }"),
        code,
        &at("owner"),
        "`number`",
    );
    refused(
        owner("{ column = 'a', as = 'money' }"),
        code,
        &at("owner"),
        "currency",
    );
    refused(owner("{ sum = '{a}' }"), code, &at("owner.sum"), "group_by");
    let raw = owner("{ column = 'a', as = 'date', format = '%Q' }");
    refused(raw, code, &at("owner.format"), "%Q");
    let raw = owner("{ column = 'a', as = 'date_time', zone = 'Mars' }");
    refused(raw, code, &at("owner.zone"), "Mars");
    let raw = mapping(
        "",
        "when = [{ column = 'a', empty = true, equals = 1 }]",
        NAME,
    );
    refused(raw, code, "steps[0].when[0]", "one of empty");
    let raw = mapping(
        "[sources.x]\nencoding = 'gb18030'\ndelimiter = '|'",
        "",
        NAME,
    );
    refused(raw, code, "sources.x.delimiter", "GB18030");
}

#[test]
fn a_command_stands_twice_in_a_step_only_with_a_suffix() {
    let step = |suffix: &str| {
        let command = "[[steps.commands]]\ncommand = 'LogInteraction'\n";
        let fields = "fields = { customer = { id = 'customer', key = 'x' }, details = { \
                      channel = 'phone', direction = 'inbound', summary = 'x' } }\n";
        Mapping::parse(&format!(
            "namespace = 'x'\n[[steps]]\nname = 'a'\nkey = 'a'\n{command}{fields}{command}\
             {suffix}{fields}"
        ))
    };
    refused(
        step(""),
        "IMPORT_MAPPING_INVALID",
        "steps[0].commands[1]",
        "key_suffix",
    );
    assert_eq!(step("key_suffix = '-2'\n").unwrap().steps(), ["a"]);
}
