//! The settings as flags of a sub-command.

use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};

use super::{
    list::{Entry, Visit},
    read::Flags,
    rule::Rule,
    settings::Settings,
};

const FILE: &str = "config";

/// One setting as it is documented.
pub(crate) struct Documented {
    pub(crate) entry: Entry,
    /// The default as it stands in a file; none where there is none.
    pub(crate) default: Option<String>,
    pub(crate) allowed: String,
    pub(crate) secret: bool,
    placeholder: &'static str,
}

/// Every setting, in the order of the list.
pub(crate) fn documented() -> Vec<Documented> {
    let mut catalogue = Catalogue(Vec::new());
    Settings::visit(&mut catalogue);
    catalogue.0
}

struct Catalogue(Vec<Documented>);

impl Visit for Catalogue {
    fn section(&mut self, _path: &'static str, _help: &[&str]) {}

    fn take<T: 'static>(&mut self, entry: Entry, rule: Rule<T>) -> T {
        self.0.push(Documented {
            entry,
            default: rule.show(&rule.default).map(|value| value.to_string()),
            allowed: rule.allowed,
            secret: rule.secret,
            placeholder: rule.placeholder,
        });
        rule.default
    }
}

impl Documented {
    /// A secret has no flag of its own, since others see the arguments of a process; the file in
    /// which it stands has.
    fn argument(&self) -> Arg {
        let (flag, variable) = (self.entry.flag(), self.entry.variable());
        let (flag, placeholder, variables) = if self.secret {
            let variables = format!("{variable} or {variable}_FILE");
            (format!("{flag}-file"), "FILE", variables)
        } else {
            (flag, self.placeholder, variable)
        };
        let default = self.default.as_deref().map(|text| text.trim_matches('"'));
        let default = default.map_or_else(String::new, |text| format!(" [default: {text}]"));
        let help = &self.entry.help;
        let allowed = format!(" Takes {}.", self.allowed);
        let more = format!("{default} [env: {variables}]");
        Arg::new(flag.clone())
            .long(flag)
            .value_name(placeholder)
            .action(ArgAction::Set)
            .help_heading(format!("Settings of [{}]", self.entry.section))
            .hide_short_help(self.entry.section != "server")
            .help(format!("{help}{more}"))
            .long_help(format!("{help}{allowed}{more}"))
    }
}

impl Args for Flags {
    fn augment_args(command: Command) -> Command {
        let file = Arg::new(FILE)
            .long(FILE)
            .env("DAYBOOK_CONFIG")
            .value_name("FILE")
            .value_parser(clap::value_parser!(PathBuf))
            .help(
                "The configuration file [default: ./daybook.toml where it exists]; variables go \
                 before the file, and flags before both",
            );
        let settings = documented();
        command
            .arg(file)
            .args(settings.iter().map(Documented::argument))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Flags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut flags = Self::default();
        flags.update_from_arg_matches(matches)?;
        Ok(flags)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        self.file = matches.get_one::<PathBuf>(FILE).cloned();
        for one in documented() {
            let flag = one.entry.flag();
            let flag = if one.secret {
                format!("{flag}-file")
            } else {
                flag
            };
            if let Some(text) = matches.get_one::<String>(&flag) {
                self.values.insert(flag, text.clone());
            }
        }
        Ok(())
    }
}
