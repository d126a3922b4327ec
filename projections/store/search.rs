//! Full-text search that finds Chinese and Japanese substrings, and Latin words without regard to
//! case and accents.
//!
//! SQLite's trigram tokenizer finds nothing for words of two characters, which most Chinese words
//! are. So text is cut before it is indexed: runs of Latin letters and digits stay words; runs of
//! Chinese, Japanese and Korean characters become overlapping pairs and a last single character.
//! A search for 显示器 becomes the phrase "显示 示器"; a single character matches every pair that
//! begins with it. Chinese characters are also indexed by their pinyin and its initials.

use pinyin::ToPinyin;
use rusqlite::{Connection, OptionalExtension, params};
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

use super::{StoreError, Words};

/// An object that a search found.
#[derive(Clone, Debug, PartialEq)]
pub struct SearchHit {
    /// The table in which the object stands.
    pub table: String,
    /// The object.
    pub id: String,
}

pub(crate) const SCHEMA: &str = "
    CREATE TABLE search_object (
        number INTEGER PRIMARY KEY, object_table TEXT NOT NULL, id TEXT NOT NULL UNIQUE
    );
    CREATE VIRTUAL TABLE search_text USING fts5 (
        words, personal, tokenize = 'unicode61 remove_diacritics 0'
    );
";

/// Puts the words of an object in the index that has none there.
pub(crate) fn add(
    connection: &Connection,
    table: &str,
    id: &str,
    text: &Words,
) -> Result<(), StoreError> {
    let number = connection
        .prepare_cached("INSERT INTO search_object (object_table, id) VALUES (?1, ?2)")?
        .insert([table, id])?;
    connection
        .prepare_cached("INSERT INTO search_text (rowid, words, personal) VALUES (?1, ?2, ?3)")?
        .execute(params![number, words(&text.open), words(&text.personal)])?;
    Ok(())
}

/// Takes the words of an object out of the index, where it has any.
pub(crate) fn remove(connection: &Connection, id: &str) -> Result<(), StoreError> {
    let number = connection
        .prepare_cached("DELETE FROM search_object WHERE id = ?1 RETURNING number")?
        .query_row([id], |row| row.get::<_, i64>(0))
        .optional()?;
    if let Some(number) = number {
        connection
            .prepare_cached("DELETE FROM search_text WHERE rowid = ?1")?
            .execute([number])?;
    }
    Ok(())
}

/// Puts other words of an object in the place of those that were there.
pub(crate) fn replace(
    connection: &Connection,
    table: &str,
    id: &str,
    text: Option<&Words>,
) -> Result<(), StoreError> {
    remove(connection, id)?;
    text.map_or(Ok(()), |text| add(connection, table, id, text))
}

/// The FTS5 expression for what a person typed; none where nothing searchable is in it.
pub fn search_query(typed: &str) -> Option<String> {
    let terms: Vec<String> = runs(&fold(typed))
        .into_iter()
        .map(|run| match run {
            Run::Word(word) => format!("\"{word}\"*"),
            Run::Characters(characters) if characters.len() == 1 => {
                format!("\"{}\"*", characters.iter().collect::<String>())
            }
            Run::Characters(characters) => format!("\"{}\"", pairs(&characters).join(" ")),
        })
        .collect();
    (!terms.is_empty()).then(|| terms.join(" AND "))
}

/// The same expression for those who may not look for personal words.
pub(crate) fn without_personal(query: &str) -> String {
    format!("{{words}} : ({query})")
}

/// A text as it stands in the index.
fn words(text: &str) -> String {
    let mut words = Vec::new();
    for run in runs(&fold(text)) {
        match run {
            Run::Word(word) => words.push(word),
            Run::Characters(characters) => {
                words.extend(pairs(&characters));
                words.extend(characters.last().map(ToString::to_string));
                words.extend(spoken(&characters));
            }
        }
    }
    words.join(" ")
}

/// Lower case, compatibility forms made plain, accents taken off Latin letters. The sound marks of
/// kana are no accents: が and か stay two letters.
fn fold(text: &str) -> String {
    let sound_mark = |c: char| matches!(c, '\u{3099}' | '\u{309a}');
    text.nfkd()
        .filter(|c| !is_combining_mark(*c) || sound_mark(*c))
        .nfc()
        .flat_map(char::to_lowercase)
        .collect()
}

enum Run {
    Word(String),
    Characters(Vec<char>),
}

fn runs(text: &str) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    let mut apart = true;
    for c in text.chars() {
        if !c.is_alphanumeric() && c != 'ー' {
            apart = true;
            continue;
        }
        match (runs.last_mut(), is_character(c)) {
            (Some(Run::Word(word)), false) if !apart => word.push(c),
            (Some(Run::Characters(characters)), true) if !apart => characters.push(c),
            (_, true) => runs.push(Run::Characters(vec![c])),
            (_, false) => runs.push(Run::Word(c.to_string())),
        }
        apart = false;
    }
    runs
}

/// Whether a letter belongs to a script that is written without spaces between words.
fn is_character(c: char) -> bool {
    matches!(
        u32::from(c),
        0x3005 | 0x3040..=0x30ff | 0x3400..=0x4dbf | 0x4e00..=0x9fff | 0xac00..=0xd7af
            | 0xf900..=0xfaff | 0x20000..=0x3ffff
    )
}

fn pairs(characters: &[char]) -> Vec<String> {
    characters
        .windows(2)
        .map(|pair| pair.iter().collect())
        .collect()
}

/// The pinyin of a run of Chinese characters as one word, and its initials as another.
fn spoken(characters: &[char]) -> Vec<String> {
    let sounds: Vec<_> = characters.iter().filter_map(|c| c.to_pinyin()).collect();
    if sounds.is_empty() {
        return Vec::new();
    }
    vec![
        sounds.iter().map(|sound| sound.plain()).collect(),
        sounds.iter().map(|sound| sound.first_letter()).collect(),
    ]
}

#[cfg(test)]
mod tests {
    use super::{search_query, words};

    #[test]
    fn chinese_is_indexed_by_pairs_pinyin_and_initials() {
        assert_eq!(words("显示器"), "显示 示器 器 xianshiqi xsq");
    }

    #[test]
    fn latin_loses_case_and_accents() {
        assert_eq!(words("Königlich Essen"), "koniglich essen");
    }

    #[test]
    fn kana_keeps_its_sound_marks_and_long_vowels() {
        assert_eq!(words("モニター"), "モニ ニタ ター ー");
        assert_eq!(words("ガ"), "ガ");
    }

    #[test]
    fn two_characters_are_enough_to_search() {
        assert_eq!(search_query("键盘").as_deref(), Some("\"键盘\""));
        assert_eq!(search_query("键").as_deref(), Some("\"键\"*"));
    }

    #[test]
    fn quotes_and_operators_are_not_syntax() {
        assert_eq!(
            search_query("\"a OR b\" *").as_deref(),
            Some("\"a\"* AND \"or\"* AND \"b\"*")
        );
        assert_eq!(search_query(" -- ").as_deref(), None);
    }
}
