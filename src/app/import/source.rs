//! Reading the rows of one file, one after the other.
//!
//! Both encodings are read as bytes and decoded cell by cell: in UTF-8 no byte of a longer
//! character is ASCII, and in GB18030 none is a quote, a line break or one of the delimiters that
//! [`delimiter_fits`] allows. So one cell that cannot be decoded costs one row and not the file.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    fs::File,
    io::{self, BufRead, BufReader},
    path::{Path, PathBuf},
    sync::Arc,
};

use serde_json::Value;

use super::{
    error::{ImportError, RowProblem},
    format::{Encoding, RowFormat},
    row::{Columns, Row},
};

/// A source of the mapping, with all defaults filled in.
#[derive(Debug)]
pub(super) struct SourcePlan {
    pub(super) file: String,
    pub(super) format: RowFormat,
    pub(super) encoding: Encoding,
    pub(super) delimiter: u8,
    pub(super) null: Vec<String>,
    pub(super) trim: bool,
}

/// Whether a delimiter is never a part of a longer character.
pub(super) fn delimiter_fits(delimiter: u8, encoding: Encoding) -> bool {
    let readable = delimiter.is_ascii() && !matches!(delimiter, b'"' | b'\n' | b'\r');
    match encoding {
        Encoding::Utf8 => readable,
        Encoding::Gb18030 => readable && matches!(delimiter, 0x00..0x30 | 0x3a..0x40),
    }
}

impl Encoding {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "UTF-8",
            Self::Gb18030 => "GB18030",
        }
    }

    fn byte_order_mark(self) -> &'static [u8] {
        match self {
            Self::Utf8 => &[0xef, 0xbb, 0xbf],
            Self::Gb18030 => &[0x84, 0x31, 0x95, 0x33],
        }
    }

    fn decode(self, bytes: &[u8]) -> Option<Cow<'_, str>> {
        match self {
            Self::Utf8 => std::str::from_utf8(bytes).ok().map(Cow::Borrowed),
            Self::Gb18030 => {
                encoding_rs::GB18030.decode_without_bom_handling_and_without_replacement(bytes)
            }
        }
    }

    fn decode_lossy(self, bytes: &[u8]) -> String {
        match self {
            Self::Utf8 => String::from_utf8_lossy(bytes).into_owned(),
            Self::Gb18030 => {
                let (text, _) = encoding_rs::GB18030.decode_without_bom_handling(bytes);
                text.into_owned()
            }
        }
    }
}

/// A row that cannot be read, as far as it can be shown.
#[derive(Debug)]
pub(super) struct BadRow {
    pub(super) line: u64,
    pub(super) problem: RowProblem,
    pub(super) shown: Value,
}

/// An open file.
pub(super) struct SourceReader<'a> {
    plan: &'a SourcePlan,
    path: PathBuf,
    rows: Rows,
    bytes_total: u64,
}

enum Rows {
    Csv {
        reader: Box<csv::Reader<BufReader<File>>>,
        columns: Arc<Columns>,
    },
    Ndjson {
        reader: BufReader<File>,
        line: u64,
        bytes: u64,
    },
}

impl<'a> SourceReader<'a> {
    pub(super) fn open(plan: &'a SourcePlan, path: &Path) -> Result<Self, ImportError> {
        let unusable = |source| ImportError::File {
            path: path.to_owned(),
            source,
        };
        let file = File::open(path).map_err(unusable)?;
        let bytes_total = file.metadata().map_err(unusable)?.len();
        let mut reader = BufReader::with_capacity(64 * 1024, file);
        skip_mark(&mut reader, plan.encoding).map_err(unusable)?;
        let rows = match plan.format {
            RowFormat::Csv => csv_rows(plan, path, reader)?,
            RowFormat::Ndjson => Rows::Ndjson {
                reader,
                line: 0,
                bytes: 0,
            },
        };
        Ok(Self {
            plan,
            path: path.to_owned(),
            rows,
            bytes_total,
        })
    }

    /// The header, where the format has one.
    pub(super) fn columns(&self) -> Option<&Columns> {
        match &self.rows {
            Rows::Csv { columns, .. } => Some(columns),
            Rows::Ndjson { .. } => None,
        }
    }

    /// How many bytes are read, and how many there are.
    pub(super) fn bytes(&self) -> (u64, u64) {
        let read = match &self.rows {
            Rows::Csv { reader, .. } => reader.position().byte(),
            Rows::Ndjson { bytes, .. } => *bytes,
        };
        (read.min(self.bytes_total), self.bytes_total)
    }

    /// The next row; none at the end of the file.
    pub(super) fn next_row(&mut self) -> Result<Option<Result<Row, BadRow>>, ImportError> {
        let plan = self.plan;
        let row = match &mut self.rows {
            Rows::Csv { reader, columns } => next_record(plan, reader, columns),
            Rows::Ndjson {
                reader,
                line,
                bytes,
            } => next_object(plan, reader, line, bytes),
        };
        row.map_err(|source| ImportError::File {
            path: self.path.clone(),
            source,
        })
    }
}

fn skip_mark(reader: &mut BufReader<File>, encoding: Encoding) -> io::Result<()> {
    let mark = encoding.byte_order_mark();
    if reader.fill_buf()?.starts_with(mark) {
        reader.consume(mark.len());
    }
    Ok(())
}

fn csv_rows(plan: &SourcePlan, path: &Path, reader: BufReader<File>) -> Result<Rows, ImportError> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(plan.delimiter)
        .from_reader(reader);
    let mut header = csv::ByteRecord::new();
    reader
        .read_byte_record(&mut header)
        .map_err(|error| ImportError::File {
            path: path.to_owned(),
            source: error.into(),
        })?;
    let names: Option<Vec<String>> = header
        .iter()
        .map(|cell| Some(plan.encoding.decode(cell)?.trim().to_owned()))
        .collect();
    let names = names.ok_or_else(|| ImportError::HeaderEncoding {
        path: path.to_owned(),
        encoding: plan.encoding.name(),
    })?;
    let columns = Columns::new(names).map_err(|column| ImportError::ColumnTwice {
        path: path.to_owned(),
        column,
    })?;
    Ok(Rows::Csv {
        reader: Box::new(reader),
        columns: Arc::new(columns),
    })
}

fn next_record(
    plan: &SourcePlan,
    reader: &mut csv::Reader<BufReader<File>>,
    columns: &Arc<Columns>,
) -> io::Result<Option<Result<Row, BadRow>>> {
    let mut record = csv::ByteRecord::new();
    if !reader.read_byte_record(&mut record)? {
        return Ok(None);
    }
    let line = record.position().map_or(0, csv::Position::line);
    let bad = |code, message| BadRow {
        line,
        problem: RowProblem::new(code, message),
        shown: record
            .iter()
            .map(|cell| plan.encoding.decode_lossy(cell))
            .collect(),
    };
    let (expected, found) = (columns.names.len(), record.len());
    if expected != found {
        let message = format!("the row has {found} cells, the header has {expected}");
        return Ok(Some(Err(bad("IMPORT_ROW_LENGTH", message))));
    }
    let mut cells = Vec::with_capacity(found);
    for (cell, column) in record.iter().zip(&columns.names) {
        let Some(text) = plan.encoding.decode(cell) else {
            let encoding = plan.encoding.name();
            let message = format!("column `{column}` is not valid {encoding}");
            return Ok(Some(Err(bad("IMPORT_ENCODING", message))));
        };
        cells.push(plan.clean(&text).into());
    }
    Ok(Some(Ok(Row::record(line, columns.clone(), cells))))
}

fn next_object(
    plan: &SourcePlan,
    reader: &mut BufReader<File>,
    line: &mut u64,
    bytes: &mut u64,
) -> io::Result<Option<Result<Row, BadRow>>> {
    let mut raw = Vec::new();
    loop {
        raw.clear();
        let read = reader.read_until(b'\n', &mut raw)?;
        if read == 0 {
            return Ok(None);
        }
        *line += 1;
        *bytes += u64::try_from(read).unwrap_or(0);
        if !raw.trim_ascii().is_empty() {
            break;
        }
    }
    let bad = |code, message| BadRow {
        line: *line,
        problem: RowProblem::new(code, message),
        shown: plan.encoding.decode_lossy(raw.trim_ascii()).into(),
    };
    let Some(text) = plan.encoding.decode(&raw) else {
        let message = format!("the line is not valid {}", plan.encoding.name());
        return Ok(Some(Err(bad("IMPORT_ENCODING", message))));
    };
    Ok(Some(match serde_json::from_str(&text) {
        Ok(object @ Value::Object(_)) => {
            let mut cells = BTreeMap::new();
            plan.flatten(String::new(), &object, &mut cells);
            Ok(Row::object(*line, cells))
        }
        Ok(_) => Err(bad(
            "IMPORT_ROW_SYNTAX",
            "the line is not an object".to_owned(),
        )),
        Err(error) => Err(bad("IMPORT_ROW_SYNTAX", error.to_string())),
    }))
}

impl SourcePlan {
    /// The text of a cell: trimmed where that is wanted, and empty where it says that it is.
    fn clean<'t>(&self, text: &'t str) -> &'t str {
        let text = if self.trim { text.trim() } else { text };
        let null = self.null.iter().any(|marker| marker == text);
        if null { "" } else { text }
    }

    /// Cells of an object inside an object are named by the path, for example `address.city`;
    /// lists are kept as JSON text.
    fn flatten(&self, path: String, value: &Value, cells: &mut BTreeMap<String, String>) {
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    let path = match path.as_str() {
                        "" => name.clone(),
                        outer => format!("{outer}.{name}"),
                    };
                    self.flatten(path, value, cells);
                }
            }
            Value::Null => {}
            Value::String(text) => {
                cells.insert(path, self.clean(text).to_owned());
            }
            other => {
                cells.insert(path, other.to_string());
            }
        }
    }
}
