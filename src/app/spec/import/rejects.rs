use super::{CALLS, CUSTOMERS, Import, MAPPING};
use crate::import::{ImportOptions, Mapping, rehearse};

/// Codes and lines of the rejects of the last import.
fn codes(import: &Import) -> Vec<(String, u64)> {
    let rejects = import.rejects().into_iter();
    rejects.map(|(code, _, line, _)| (code, line)).collect()
}

fn code(code: &str, line: u64) -> (String, u64) {
    (code.to_owned(), line)
}

#[test]
fn rejected_rows_are_told_and_the_import_goes_on() {
    let import = Import::new();
    let more = "5,,1,,,,,,,\n6,Odd,9,,,,,,,\n,Keyless,1,,,,,,,\n7,Same,1,021 100,,,,,,\n\
                8,Last,1,,,,,,,\n2,Other,1,,,,,,,\n";
    import.file("customers.csv", format!("{CUSTOMERS}{more}").as_bytes());
    let calls = "5,01.03.2026 10:00,,P,x,\n7,01.03.2026 10:00,,P,x,\n8,32.03.2026 10:00,,P,x,\n";
    import.file("calls.csv", format!("{CALLS}{calls}").as_bytes());
    let summary = import.run(MAPPING);
    let rejects = import.rejects();
    assert_eq!(rejects[0].3, "details");
    assert_eq!(rejects[1].3, "details.customerType");
    assert_eq!(rejects[7].3, "@occurred_at");
    let mut found = codes(&import);
    found[..5].sort();
    assert_eq!(
        found,
        [
            code("IDEMPOTENCY_KEY_REUSED", 11),
            code("IMPORT_COMMAND_INVALID", 6),
            code("IMPORT_KEY_EMPTY", 8),
            code("IMPORT_VALUE_UNMAPPED", 7),
            code("NATURAL_KEY_TAKEN", 9),
            code("IMPORT_PREREQUISITE_REJECTED", 6),
            code("IMPORT_PREREQUISITE_REJECTED", 7),
            code("IMPORT_CELL_INVALID", 8),
        ]
    );
    let [customers, calls] = summary.steps.as_slice() else {
        panic!("{summary}")
    };
    let registered = customers.commands["RegisterCustomer"];
    assert_eq!(
        (customers.rejected, registered.refused, registered.failed),
        (3, 1, 1)
    );
    assert_eq!(
        (registered.accepted, calls.rejected, calls.total().accepted),
        (4, 3, 3)
    );
    assert!(import.names().contains(&"Last".to_owned()));
}

#[test]
fn a_name_in_csv_gives_rejects_in_csv() {
    let import = Import::new();
    import.file(
        "customers.csv",
        format!("{CUSTOMERS}6,\"O, dd\",9,,,,,,,\n").as_bytes(),
    );
    let path = import.folder.path().join("rejects.CSV");
    let options = ImportOptions {
        rejects: Some(path.clone()),
        ..import.options()
    };
    import.try_run(MAPPING, &options).unwrap();
    let mut reader = csv::Reader::from_path(path).unwrap();
    let header = reader.headers().unwrap().clone();
    assert_eq!(
        header.iter().collect::<Vec<_>>(),
        [
            "file", "line", "key", "step", "command", "field", "code", "message", "row"
        ]
    );
    let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
    let [row] = rows.as_slice() else {
        panic!("{rows:?}")
    };
    let row: Vec<&str> = row.iter().collect();
    let expected = [
        "6",
        "6",
        "customers",
        "RegisterCustomer",
        "details.customerType",
    ];
    assert_eq!(row[1..6], expected);
    assert_eq!(
        row[6..8],
        [
            "IMPORT_VALUE_UNMAPPED",
            "`9` is not mapped; mapped are 1, 2"
        ]
    );
    assert!(row[8].contains("\"name\":\"O, dd\""), "{}", row[8]);
}

#[test]
fn a_dry_run_reads_everything_and_sends_nothing() {
    let import = Import::new();
    import.file(
        "customers.csv",
        format!("{CUSTOMERS}5,,1,,,,,,,\n").as_bytes(),
    );
    import.file(
        "calls.csv",
        format!("{CALLS}5,01.03.2026 10:00,,P,x,\n").as_bytes(),
    );
    let head = import.organisation().log().head();
    let options = ImportOptions {
        dry_run: true,
        ..import.options()
    };
    let summary = import.try_run(MAPPING, &options).unwrap();
    assert_eq!(import.organisation().log().head(), head);
    assert!(summary.dry_run);
    assert_eq!((summary.total().issued, summary.total().accepted), (7, 0));
    let prerequisite = code("IMPORT_PREREQUISITE_REJECTED", 6);
    assert_eq!(
        codes(&import),
        [code("IMPORT_COMMAND_INVALID", 6), prerequisite]
    );
    let mapping = Mapping::parse(MAPPING).unwrap();
    let folder = [import.folder.path().to_owned()];
    let alone = rehearse(&mapping, &folder, &options, &mut |_| {}).unwrap();
    assert_eq!(alone.steps, summary.steps);
    let json = serde_json::to_value(&alone).unwrap();
    assert_eq!(
        json["steps"][0]["commands"]["RegisterCustomer"]["issued"],
        3
    );
    assert!(
        alone.to_string().contains("7 commands would be issued"),
        "{alone}"
    );
}

#[test]
fn an_interrupted_import_goes_on_where_it_stopped() {
    let import = Import::new();
    let half: String = CUSTOMERS
        .lines()
        .take(2)
        .map(|line| format!("{line}\n"))
        .collect();
    import.file("customers.csv", half.as_bytes());
    import.file("calls.csv", CALLS.lines().next().unwrap().as_bytes());
    assert_eq!(import.run(MAPPING).total().accepted, 2);
    import.file("customers.csv", CUSTOMERS.as_bytes());
    import.file("calls.csv", CALLS.as_bytes());
    let rest = import.run(MAPPING);
    assert_eq!((rest.total().replayed, rest.total().accepted), (2, 5));
    assert_eq!(import.names().len(), 3);
}

#[test]
fn a_refused_row_is_tried_again_only_when_that_is_wanted() {
    let import = Import::new();
    let with = |phone: &str| {
        let customers = format!("{CUSTOMERS}7,Seven,1,{phone},,,,,3000000,\n");
        import.file("customers.csv", customers.as_bytes());
    };
    with("021-100");
    let call = "7,01.03.2026 10:00,,P,x,\n";
    import.file("calls.csv", format!("{CALLS}{call}").as_bytes());
    let first = import.run(MAPPING);
    // The second command of the row was on its way already when the first was refused.
    assert_eq!((first.total().refused, first.rejected()), (2, 1));

    with("021-777");
    let head = import.organisation().log().head();
    let plain = import.run(MAPPING);
    assert_eq!(import.organisation().log().head(), head);
    assert_eq!((plain.total().failed, plain.total().refused_before), (1, 1));

    let options = ImportOptions {
        retry_refused: true,
        ..import.options()
    };
    let retried = import.try_run(MAPPING, &options).unwrap();
    assert!(retried.is_clean(), "{retried}\n{:?}", import.rejects());
    assert_eq!(retried.total().accepted, 3);

    let head = import.organisation().log().head();
    for options in [import.options(), options] {
        let again = import.try_run(MAPPING, &options).unwrap();
        assert!(again.is_clean(), "{again}\n{:?}", import.rejects());
        assert_eq!(again.total().replayed, again.total().issued);
    }
    assert_eq!(import.organisation().log().head(), head);
}
