//! How a list of settings becomes a type, and how it is visited.

use super::rule::Rule;

/// One setting of the list, before it has a value.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// The table of the file in which it stands, such as `server.tls`.
    pub(crate) section: &'static str,
    /// What flags and variables of the section begin with; may be empty.
    prefix: &'static str,
    name: &'static str,
    /// What it is for.
    pub(crate) help: String,
}

impl Entry {
    pub(crate) fn new(
        section: &'static str,
        prefix: &'static str,
        name: &'static str,
        help: &[&str],
    ) -> Self {
        let help: Vec<&str> = help.iter().map(|line| line.trim()).collect();
        Self {
            section,
            prefix,
            name,
            help: help.join(" "),
        }
    }

    /// The name within its table.
    pub(crate) const fn name(&self) -> &'static str {
        self.name
    }

    /// The key in the file, such as `server.tls.key`.
    pub(crate) fn key(&self) -> String {
        format!("{}.{}", self.section, self.name)
    }

    /// The flag without its dashes, such as `tls-key`.
    pub(crate) fn flag(&self) -> String {
        let name = format!("{}_{}", self.prefix, self.name);
        name.trim_start_matches('_').replace('_', "-")
    }

    /// The variable, such as `DAYBOOK_TLS_KEY`.
    pub(crate) fn variable(&self) -> String {
        format!("DAYBOOK_{}", self.flag().replace('-', "_").to_uppercase())
    }
}

/// Something that goes through the list and knows a value for each setting.
pub(crate) trait Visit {
    /// A section of the list begins.
    fn section(&mut self, path: &'static str, help: &[&str]);

    /// The value of a setting.
    fn take<T: 'static>(&mut self, entry: Entry, rule: Rule<T>) -> T;
}

macro_rules! settings {
    ($(
        $(#[doc = $about:literal])+
        $section:ident: $Section:ident at $path:literal as $prefix:literal {$(
            $(#[doc = $help:literal])+
            $name:ident: $type:ty = $rule:expr;
        )*}
    )*) => {
        /// Every setting with its value.
        #[derive(Debug)]
        pub(crate) struct Settings {$(
            $(#[doc = $about])+
            pub(crate) $section: $Section,
        )*}
        $(
            $(#[doc = $about])+
            #[derive(Debug)]
            pub(crate) struct $Section {$(
                $(#[doc = $help])+
                pub(crate) $name: $type,
            )*}
        )*
        impl Settings {
            /// Asks for the value of each setting, in the order of the list.
            pub(crate) fn visit(visit: &mut impl $crate::config::list::Visit) -> Self {
                use $crate::config::list::Entry;
                Self {$(
                    $section: {
                        visit.section($path, &[$($about),+]);
                        $Section {$(
                            $name: visit.take(
                                Entry::new($path, $prefix, stringify!($name), &[$($help),+]),
                                $rule,
                            ),
                        )*}
                    },
                )*}
            }
        }
    };
}
pub(crate) use settings;
