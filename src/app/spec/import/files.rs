use super::Import;
use crate::import::{ImportError, ImportOptions, Mapping, rehearse, run};

const CUSTOMERS: &str = "namespace = 'spec'\n[[steps]]\nname = 'customers'\nsource = 'c'\n\
    key = '{id}'\n[[steps.commands]]\ncommand = 'RegisterCustomer'\n\
    fields = { details = { name = '{name}', address = { city = '{address.city}' } } }\n";

fn customers(source: &str) -> String {
    format!("{CUSTOMERS}[sources.c]\n{source}")
}

#[test]
fn utf_8_with_a_byte_order_mark_and_windows_line_ends() {
    let import = Import::new();
    import.file(
        "c.csv",
        "\u{feff}id;name;address.city\r\n1;\"Größe; 大\";\r\n".as_bytes(),
    );
    let summary = import.run(&customers("delimiter = ';'"));
    assert!(summary.is_clean(), "{summary}");
    assert_eq!(import.names(), ["Größe; 大"]);
}

#[test]
fn gb18030_is_decoded_cell_by_cell() {
    let import = Import::new();
    let text = "id,name,address.city\n1,晨光文具,上海\n2,㐀𠀀,北京\n";
    let (mut bytes, _, _) = encoding_rs::GB18030.encode(text);
    let bytes = bytes.to_mut();
    bytes.extend(b"3,\xff\xff,x\n4,last,x\n");
    import.file("c.csv", bytes);
    let summary = import.run(&customers("encoding = 'gb18030'"));
    assert_eq!(summary.total().accepted, 3);
    assert_eq!(import.names(), ["晨光文具", "㐀𠀀", "last"]);
    let code = |code: &str, line| (code.to_owned(), "customers".to_owned(), line, String::new());
    assert_eq!(import.rejects(), [code("IMPORT_ENCODING", 4)]);
}

#[test]
fn rows_that_cannot_be_read_cost_only_themselves() {
    let import = Import::new();
    let rows = b"id,name,address.city\n1,One,x\n2,short\n3,\xc3\x28,x\n4,a,b,c\n5,Five,x\n";
    import.file("c.csv", rows);
    import.run(&customers(""));
    assert_eq!(import.names(), ["One", "Five"]);
    let rejects = import.rejects().into_iter();
    let rejects: Vec<_> = rejects.map(|(code, _, line, _)| (code, line)).collect();
    let length = || "IMPORT_ROW_LENGTH".to_owned();
    assert_eq!(
        rejects,
        [
            (length(), 3),
            ("IMPORT_ENCODING".to_owned(), 4),
            (length(), 5)
        ]
    );
}

#[test]
fn ndjson_names_inner_fields_by_their_paths() {
    let import = Import::new();
    let rows = "{\"id\": 1, \"name\": \"One\", \"address\": {\"city\": \"上海\"}}\n\n\
                {\"id\": 2\n[1]\n{\"id\": 3, \"name\": \"Three\", \"address\": null}\n";
    import.file("c.jsonl", rows.as_bytes());
    import.run(&customers("file = 'c.jsonl'"));
    assert_eq!(import.names(), ["One", "Three"]);
    let (_, first) = &import.facts("CustomerRegistered")[0];
    assert_eq!(first["details"]["address"]["city"], "上海");
    let rejects = import.rejects().into_iter();
    let rejects: Vec<_> = rejects.map(|(code, _, line, _)| (code, line)).collect();
    let syntax = || "IMPORT_ROW_SYNTAX".to_owned();
    assert_eq!(rejects, [(syntax(), 3), (syntax(), 4)]);
}

#[test]
fn headers_are_checked_before_anything_is_sent() {
    let import = Import::new();
    let head = import.organisation().log().head();
    let attempt = |header: &str| {
        import.file("c.csv", format!("{header}\n1,One,x\n").as_bytes());
        import
            .try_run(&customers(""), &import.options())
            .unwrap_err()
    };
    let twice = attempt("id,name,name");
    assert_eq!(twice.code(), "IMPORT_COLUMN_TWICE");
    let missing = attempt("id,name,city");
    let ImportError::ColumnMissing {
        column,
        used_at,
        columns,
        ..
    } = &missing
    else {
        panic!("{missing}")
    };
    assert_eq!(column, "address.city");
    assert_eq!(used_at, "steps[0].commands[0].fields.details.address.city");
    assert_eq!(columns, &["id", "name", "city"]);
    assert_eq!(import.organisation().log().head(), head);
}

#[test]
fn files_are_found_by_their_names() {
    let import = Import::new();
    let mapping = Mapping::parse(&customers("file = 'other.csv'")).unwrap();
    let path = import.file("c.csv", b"id,name,address.city\n1,One,\n");
    let options = ImportOptions::new("importer".parse().unwrap());
    let rehearse = |files: &[std::path::PathBuf]| {
        let mapping = &mapping;
        rehearse(mapping, files, &options, &mut |_| {})
    };
    let folder = path.parent().unwrap().to_owned();
    assert_eq!(
        rehearse(&[folder]).unwrap_err().code(),
        "IMPORT_FILE_MISSING"
    );
    // The only file for the only source needs no particular name.
    assert_eq!(
        rehearse(std::slice::from_ref(&path))
            .unwrap()
            .total()
            .issued,
        1
    );
    let other = import.file("other.csv", b"id,name,address.city\n1,One,\n2,Two,\n");
    assert_eq!(
        rehearse(&[path, other.clone()]).unwrap_err().code(),
        "IMPORT_FILE_UNUSED"
    );
    assert_eq!(rehearse(&[other]).unwrap().total().issued, 2);
}

#[test]
fn a_broken_row_of_a_table_stops_the_import_before_it_begins() {
    let import = Import::new();
    import.file("people.ndjson", b"{\"id\": 7}\n{\n");
    let error = import
        .try_run(super::MAPPING, &import.options())
        .unwrap_err();
    assert_eq!(error.code(), "IMPORT_ROW_UNREADABLE");
    assert!(error.to_string().contains("line 2"), "{error}");
}

#[test]
fn many_rows_are_in_flight_and_keep_their_order() {
    let import = Import::new();
    let rows: String = (0..700)
        .map(|number| format!("{number},Customer {number},\n"))
        .collect();
    import.file("c.csv", format!("id,name,address.city\n{rows}").as_bytes());
    let mapping = Mapping::parse(&customers("")).unwrap();
    let (folder, mut reports) = (import.folder.path().to_owned(), Vec::new());
    let summary = run(
        import.organisation(),
        &mapping,
        &[folder],
        &import.options(),
        &mut |progress| reports.push((progress.rows, progress.bytes_read == progress.bytes_total)),
    );
    assert_eq!(summary.unwrap().total().accepted, 700);
    assert_eq!(
        reports.iter().map(|(rows, _)| *rows).collect::<Vec<_>>(),
        [256, 512, 700]
    );
    assert_eq!(reports.last(), Some(&(700, true)));
    let names: Vec<_> = (0..700)
        .map(|number| format!("Customer {number}"))
        .collect();
    assert_eq!(import.names(), names);
}
