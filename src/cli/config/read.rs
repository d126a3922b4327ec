//! Where values come from: the file, before it the environment, before that the flags.
//!
//! `toml`, the parsed arguments and the variables are read side by side here rather than through
//! a library that merges them, because such libraries stop at the first thing that is wrong, and
//! forget which of the sources a value came from before all of its kinds are checked.

use std::{
    collections::BTreeMap,
    fmt, fs, io,
    path::{Path, PathBuf},
};

use toml::Value;

use super::{
    list::{Entry, Visit},
    rule::Rule,
    settings::Settings,
};

/// Read where no other file is named and it exists.
pub(crate) const DEFAULT_FILE: &str = "daybook.toml";
/// Longest file of a secret, in bytes.
const SECRET_BYTES_MAX: u64 = 4096;

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Nobody gave one.
    Default,
    /// A key of the file.
    File(PathBuf, String),
    /// A variable of the environment.
    Variable(String),
    /// A flag.
    Flag(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path, key) => write!(f, "{key} in {}", path.display()),
            Self::Variable(name) => write!(f, "environment {name}"),
            Self::Flag(name) => write!(f, "flag --{name}"),
        }
    }
}

/// Something that is wrong with the configuration.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Problem {
    /// The file cannot be read.
    #[error("cannot read `{}`: {source}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is no TOML.
    #[error("`{}` is no toml: {problem}", .path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The file names something that is no setting.
    #[error("`{}` has the unknown key `{key}`; the nearest known ones are {}", .path.display(),
        .near.join(", "))]
    Unknown {
        /// The file.
        path: PathBuf,
        /// The key.
        key: String,
        /// Keys that may have been meant.
        near: Vec<String>,
    },
    /// A value is not allowed.
    #[error("{given} is not allowed for {key} ({origin}): {allowed} is expected")]
    Refused {
        /// The setting.
        key: String,
        /// Who gave the value.
        origin: Origin,
        /// The value, as far as it may be shown.
        given: String,
        /// What would be allowed.
        allowed: String,
    },
    /// A secret stands in the open.
    #[error("`{}` holds the secret `{key}`: put it into a file and name that with `{key}_file`, \
        or give it by {variable}", .path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// The setting.
        key: String,
        /// The variable that takes it.
        variable: String,
    },
    /// The file of a secret cannot be read.
    #[error("the file `{file}` of the secret {key} ({origin}) cannot be read: {source}")]
    SecretUnreadable {
        /// The setting.
        key: String,
        /// Who named the file.
        origin: Origin,
        /// The file.
        file: String,
        /// What the system said.
        source: io::Error,
    },
    /// A secret is given twice.
    #[error("the secret {key} is given by {one} and by {other}: one of them must go")]
    Twice {
        /// The setting.
        key: String,
        /// Who gave it.
        one: Origin,
        /// Who gave it too.
        other: Origin,
    },
    /// Settings that do not go together.
    #[error("{0}")]
    Clash(String),
}

/// What was said on the command line.
#[derive(Clone, Debug, Default)]
pub(crate) struct Flags {
    /// The file that was named.
    pub(crate) file: Option<PathBuf>,
    /// Values by the flag without its dashes.
    pub(crate) values: BTreeMap<String, String>,
}

/// A setting with its value, as it is shown.
#[derive(Debug)]
pub(crate) struct Shown {
    pub(crate) entry: Entry,
    /// None where there is no value.
    pub(crate) value: Option<Value>,
    pub(crate) origin: Origin,
}

/// The whole configuration, as it holds.
#[derive(Debug)]
pub(crate) struct Configuration {
    pub(crate) settings: Settings,
    /// Every setting in the order of the list.
    pub(crate) shown: Vec<Shown>,
}

impl Configuration {
    /// Whether somebody gave a value for the key.
    pub(crate) fn is_given(&self, key: &str) -> bool {
        let mut given = self
            .shown
            .iter()
            .filter(|one| one.origin != Origin::Default);
        given.any(|one| one.entry.key() == key)
    }
}

/// Reads everything. `variable` is the environment.
///
/// # Errors
/// All that is wrong, in the order of the list.
pub(crate) fn read(
    flags: &Flags,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<Configuration, Vec<Problem>> {
    let mut problems = Vec::new();
    let file = File::find(flags.file.as_deref()).unwrap_or_else(|problem| {
        problems.push(problem);
        None
    });
    let mut reader = Reader {
        file,
        flags,
        variable,
        problems,
        shown: Vec::new(),
        sections: Vec::new(),
    };
    let settings = Settings::visit(&mut reader);
    reader.complain_of_unknown_keys();
    let mut problems = reader.problems;
    if problems.is_empty() {
        problems = super::check::clashes(&settings);
    }
    if problems.is_empty() {
        let shown = reader.shown;
        return Ok(Configuration { settings, shown });
    }
    Err(problems)
}

/// The keys of the file that nobody has taken yet, tables within tables joined by dots.
struct File {
    path: PathBuf,
    keys: BTreeMap<String, Value>,
}

impl File {
    fn find(named: Option<&Path>) -> Result<Option<Self>, Problem> {
        let path = named.unwrap_or(Path::new(DEFAULT_FILE)).to_owned();
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if named.is_none() && error.kind() == io::ErrorKind::NotFound => {
                return Ok(None);
            }
            Err(source) => return Err(Problem::Unreadable { path, source }),
        };
        let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
            let (path, line) = (path.clone(), line_of(&text, &error));
            let problem = format!("line {line}: {}", error.message());
            Problem::Malformed { path, problem }
        })?;
        let mut keys = BTreeMap::new();
        flatten("", table, &mut keys);
        Ok(Some(Self { path, keys }))
    }
}

/// The line of an error. The error's own words would draw the line itself, whatever stands in it.
fn line_of(text: &str, error: &toml::de::Error) -> usize {
    let start = error.span().map_or(0, |span| span.start);
    let before = text.bytes().take(start);
    before.filter(|byte| *byte == b'\n').count() + 1
}

fn flatten(path: &str, table: toml::Table, keys: &mut BTreeMap<String, Value>) {
    for (name, value) in table {
        let key = if path.is_empty() {
            name
        } else {
            format!("{path}.{name}")
        };
        match value {
            Value::Table(inner) if !inner.is_empty() => flatten(&key, inner, keys),
            value => {
                keys.insert(key, value);
            }
        }
    }
}

struct Reader<'a> {
    file: Option<File>,
    flags: &'a Flags,
    variable: &'a dyn Fn(&str) -> Option<String>,
    problems: Vec<Problem>,
    shown: Vec<Shown>,
    sections: Vec<&'static str>,
}

/// A value as it was given.
struct Given {
    text: String,
    origin: Origin,
}

impl Reader<'_> {
    fn in_file(&mut self, key: &str) -> Option<Given> {
        let file = self.file.as_mut()?;
        let value = file.keys.remove(key)?;
        let origin = Origin::File(file.path.clone(), key.to_owned());
        let text = text_of(&value);
        Some(Given { text, origin })
    }

    /// The value that counts: of all who give one, the nearest to the person who starts the
    /// server. An empty variable gives none.
    fn given(&mut self, key: &str, flag: &str, variable: &str) -> Option<Given> {
        let in_file = self.in_file(key);
        let by_variable = (self.variable)(variable).filter(|text| !text.is_empty());
        let by_variable = by_variable.map(|text| Given {
            text,
            origin: Origin::Variable(variable.to_owned()),
        });
        let by_flag = self.flags.values.get(flag).map(|text| Given {
            text: text.clone(),
            origin: Origin::Flag(flag.to_owned()),
        });
        by_flag.or(by_variable).or(in_file)
    }

    /// A secret is given by the name of a file, or by its variable and nothing else.
    fn secret(&mut self, entry: &Entry) -> Option<Given> {
        let (key, variable) = (entry.key(), entry.variable());
        if let Some(file) = &mut self.file
            && file.keys.remove(&key).is_some()
        {
            let (path, variable) = (file.path.clone(), variable.clone());
            let key = key.clone();
            self.problems.push(Problem::Exposed {
                path,
                key,
                variable,
            });
        }
        let (flag, of_file) = (format!("{}-file", entry.flag()), format!("{variable}_FILE"));
        let named = self.given(&format!("{key}_file"), &flag, &of_file);
        let direct = (self.variable)(&variable).filter(|text| !text.is_empty());
        let origin = Origin::Variable(variable);
        match (direct, named) {
            (Some(_), Some(Given { origin: other, .. })) => {
                let one = origin;
                self.problems.push(Problem::Twice { key, one, other });
                None
            }
            (Some(text), None) => Some(Given { text, origin }),
            (None, Some(named)) => self.in_secret_file(key, named),
            (None, None) => None,
        }
    }

    fn in_secret_file(&mut self, key: String, named: Given) -> Option<Given> {
        let Given { text: file, origin } = named;
        match read_secret(Path::new(&file)) {
            Ok(text) => Some(Given { text, origin }),
            Err(source) => {
                self.problems.push(Problem::SecretUnreadable {
                    key,
                    origin,
                    file,
                    source,
                });
                None
            }
        }
    }

    fn complain_of_unknown_keys(&mut self) {
        let Some(file) = self.file.take() else { return };
        let known: Vec<String> = self.shown.iter().map(|one| one.entry.key()).collect();
        for (key, value) in file.keys {
            let is_section = self.sections.contains(&key.as_str());
            if !(is_section && value.is_table()) {
                self.problems.push(Problem::Unknown {
                    path: file.path.clone(),
                    near: nearest(&key, &known),
                    key,
                });
            }
        }
    }
}

impl Visit for Reader<'_> {
    fn section(&mut self, path: &'static str, _help: &[&str]) {
        self.sections.push(path);
    }

    fn take<T: 'static>(&mut self, entry: Entry, rule: Rule<T>) -> T {
        let given = if rule.secret {
            self.secret(&entry)
        } else {
            self.given(&entry.key(), &entry.flag(), &entry.variable())
        };
        let (value, origin) = match given {
            None => (None, Origin::Default),
            Some(Given { text, origin }) => {
                let value = rule.read(&text);
                if value.is_none() {
                    self.problems.push(Problem::Refused {
                        key: entry.key(),
                        origin: origin.clone(),
                        given: if rule.secret {
                            "the secret".to_owned()
                        } else {
                            format!("`{text}`")
                        },
                        allowed: rule.allowed.clone(),
                    });
                }
                (value, origin)
            }
        };
        let shown = rule.show(value.as_ref().unwrap_or(&rule.default));
        self.shown.push(Shown {
            entry,
            value: shown,
            origin,
        });
        // With a problem, nothing of this is used.
        value.unwrap_or(rule.default)
    }
}

/// Editors end a file with a line, which is no part of the secret.
fn read_secret(path: &Path) -> io::Result<String> {
    if fs::metadata(path)?.len() > SECRET_BYTES_MAX {
        let message = format!("it is longer than {SECRET_BYTES_MAX} bytes");
        return Err(io::Error::other(message));
    }
    Ok(fs::read_to_string(path)?.trim_end().to_owned())
}

fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(text_of).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

/// The three known keys that look most like one.
fn nearest(key: &str, known: &[String]) -> Vec<String> {
    let mut near: Vec<(usize, &String)> = known
        .iter()
        .map(|one| (strsim::damerau_levenshtein(key, one), one))
        .collect();
    near.sort();
    near.into_iter()
        .take(3)
        .map(|(_, one)| one.clone())
        .collect()
}
