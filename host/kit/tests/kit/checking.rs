//! `check` finds what is wrong: adapters that are broken on purpose.

use std::fs;
use std::path::Path;

use alp_kit::{Report, Verdict, check, self_check};

use crate::program::{adapter, component, sandbox, test_exchange, text_of, wire, workspace};
use crate::scaffolding::scaffold;

/// The report on the scaffold with `old` replaced by `new` in its code.
fn report_of(name: &str, changes: &[(&str, &str)]) -> Report {
    let within = tempfile::tempdir().unwrap();
    let folder = scaffold(within.path(), name);
    let library = folder.join("src/lib.rs");
    let mut code = fs::read_to_string(&library).unwrap();
    for (old, new) in changes {
        assert!(code.contains(old), "the template has no `{old}`");
        code = code.replace(old, new);
    }
    fs::write(&library, code).unwrap();
    text_of(adapter(&folder, &["build", "--out", "broken.wasm"]));
    let component = fs::read(folder.join("broken.wasm")).unwrap();
    run(&component, &[&folder.join("fixtures")])
}

fn run(component: &[u8], folders: &[&Path]) -> Report {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let folders: Vec<_> = folders.iter().map(|folder| folder.to_path_buf()).collect();
    runtime.block_on(check(&sandbox(), wire(), component.to_vec(), &folders, |_| {}))
}

fn wrong(report: &Report) -> Vec<String> {
    let failed = report.lines.iter().filter(|line| line.result == Verdict::Failed);
    failed.map(|line| format!("{}: {}", line.check, line.detail)).collect()
}

fn failed(report: &Report) -> Vec<&str> {
    let failed = report.lines.iter().filter(|line| line.result == Verdict::Failed);
    failed.map(|line| line.check.as_str()).collect()
}

#[test]
fn an_adapter_that_traps_on_an_unexpected_reply_is_found() {
    let report = report_of(
        "traps",
        &[(
            "let asked = name(&submission.market);",
            "let asked = name(&submission.market);\n        assert!(reply.body.len() > 3);",
        )],
    );
    assert!(failed(&report).contains(&"hostile: empty"), "{report:?}");
    assert!(failed(&report).contains(&"hostile: cut at every boundary"), "{report:?}");
    assert!(!report.is_right());
}

#[test]
fn an_adapter_that_reads_prices_as_binary_floats_is_found() {
    let report = report_of(
        "floats",
        &[(
            "order::open(self.id.as_str(), side, &self.price.decimal(\"price\")?, &left, opened_ms)",
            "let price = self.price.as_str().parse::<f64>().unwrap_or(1.0);\n        \
                 let price = format!(\"{:e}\", price * 1e-9);\n        \
                 Ok(order::open(self.id.as_str(), side, &self.price.decimal(\"price\")?, &left, opened_ms)?\
                 .map(|order| Order { price, ..order }))",
        )],
    );
    assert!(failed(&report).contains(&"case open_orders.json"), "{report:?}");
}

#[test]
fn an_adapter_that_takes_an_outage_for_an_empty_book_is_found() {
    let report = report_of(
        "hides_outages",
        &[(
            "reply::decode::<_, ErrorReply>(&reply, &WORDING)?;",
            "reply::decode::<_, ErrorReply>(&reply, &WORDING).unwrap_or(OpenOrders { orders: Vec::new() });",
        )],
    );
    let failed = failed(&report);
    for check in ["hostile: a web page", "hostile: HTTP 403, 429, 500, 503", "case error.json"] {
        assert!(failed.contains(&check), "{failed:?}");
    }
}

#[test]
fn an_adapter_that_sends_what_it_does_not_declare_is_found() {
    let report =
        report_of("undeclared", &[(".with(&[\"market\", \"timestamp\"])", ".with(&[\"timestamp\"])")]);
    assert_eq!(failed(&report)[0], "start request.json", "{report:?}");
}

#[test]
fn an_adapter_that_takes_any_market_and_any_member_is_found() {
    let report = report_of(
        "careless",
        &[
            ("        fields::expect_market(\"market\", signed_market, &name(&submission.market))?;\n", ""),
            ("fields::take(&submission, REQ)?", "take_all(&submission)?"),
            (
                "/// What is sent and signed",
                "fn take_all(submission: &Submission) -> Result<[&str; 2], Fault> {\n    \
                 let find = |name: &str| match submission.members.iter().find(|m| m.name == name).map(|m| &m.value) \
                 {\n        Some(Scalar::Text(text) | Scalar::Number(text)) => Ok(text.as_str()),\n        \
                 None => Err(Fault::Unusable(\"missing\".to_owned())),\n    };\n    \
                 Ok([find(\"market\")?, find(\"timestamp\")?])\n}\n\n/// What is sent and signed",
            ),
            (
                "order.market == asked.as_str() && order.kind == \"limit\"",
                "{ let _ = &asked; order.market == \"BTC-USD\" && order.kind == \"limit\" }",
            ),
            ("Binding::PARAMETERS | Binding::MARKET", "Binding::PARAMETERS"),
        ],
    );
    let failed = failed(&report);
    assert!(failed.contains(&"request.json: a member too many"), "{failed:?}");
    assert!(failed.contains(&"hostile: another market"), "{failed:?}");
}

#[test]
fn an_adapter_whose_request_lives_longer_than_it_says_is_found() {
    let report =
        report_of("lives_long", &[("expiring(signed_ms, LIFETIME_MS)", "expiring(signed_ms, 90_000)")]);
    assert_eq!(failed(&report), ["request.json: freshness"], "{report:?}");
}

#[test]
fn several_folders_are_told_apart_and_a_broken_one_is_a_failure() {
    let own = workspace().join("adapters/test_exchange/fixtures");
    let component = fs::read(test_exchange()).unwrap();
    let report = run(&component, &[&own]);
    assert!(report.is_right() && report.cases >= 9, "{report:?}");
    let missing = own.join("nowhere");
    let report = run(&component, &[&own, &missing]);
    assert_eq!(failed(&report), [missing.to_str().unwrap()]);
    let report = run(&component, &[]);
    assert_eq!(report.count(Verdict::Skipped), 1, "{report:?}");
}

/// With the variable ALP_FIXTURES, recorded replies that others own are checked, too.
#[test]
fn every_adapter_that_comes_with_the_pool_passes_every_check_and_the_self_check() {
    let adapters = fs::read_dir(workspace().join("adapters")).unwrap();
    let mut names: Vec<_> =
        adapters.map(|folder| folder.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| name != "sdk");
    names.sort();
    assert!(names.len() > 5, "{names:?}");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    for name in names {
        let component = component(&name);
        let mut folders = vec![workspace().join("adapters").join(&name).join("fixtures")];
        let recorded = std::env::var_os("ALP_FIXTURES").map(|recorded| Path::new(&recorded).join(&name));
        folders.extend(recorded.filter(|recorded| recorded.is_dir()));
        let folders: Vec<&Path> = folders.iter().map(std::path::PathBuf::as_path).collect();
        let report = run(&fs::read(&component).unwrap(), &folders);
        assert!(report.is_right(), "{name}: {:?}", wrong(&report));
        assert!(report.cases > 1 && report.hostile_replies > 500, "{name}: {report:?}");
        let checked = runtime.block_on(async {
            let adapter = sandbox().load_file(&component).await.unwrap();
            self_check(&adapter, wire()).await
        });
        assert!(checked.as_ref().is_ok_and(|checked| checked.started), "{name}: {checked:?}");
    }
}

#[test]
fn a_case_can_carry_what_was_posted_and_need_no_reply() {
    let within = tempfile::tempdir().unwrap();
    let folder = scaffold(within.path(), "posted").join("fixtures");
    let posted = |fault: &str| {
        format!(
            r#"{{"base": "BTC", "quote": "USD", "expect": "error", "fault": "{fault}", "provenance": "ours",
                "parameters": {{"anything": "1"}}, "submission": {{"user": "a-key", "sign": "00",
                "req": {{"market": "ETH-USD", "timestamp": 1760000000123}}}}}}"#
        )
    };
    let cases = fs::read_to_string(folder.join("cases.json")).unwrap();
    let with = |case: &str| cases.replacen('[', &format!("[{case},"), 1);
    text_of(adapter(within.path(), &["build", "posted", "--out", "posted.wasm"]));
    let component = fs::read(within.path().join("posted.wasm")).unwrap();
    fs::write(folder.join("cases.json"), with(&posted("unusable"))).unwrap();
    let report = run(&component, &[&folder]);
    assert!(report.is_right() && report.cases == 5, "{:?}", wrong(&report));
    fs::write(folder.join("cases.json"), with(&posted("refused"))).unwrap();
    assert_eq!(failed(&run(&component, &[&folder])), ["case (start alone)"]);
}

#[test]
fn a_file_that_is_no_component_fails_the_first_check_with_its_reason() {
    let report = run(b"<html>404</html>", &[]);
    assert_eq!(report.lines.len(), 1);
    assert!(report.lines[0].detail.contains("is text"), "{report:?}");
    assert!(!report.is_right());
}

#[test]
fn the_table_has_a_line_a_check_and_the_exit_status_says_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let own = workspace().join("adapters/test_exchange/fixtures").display().to_string();
    let component = test_exchange().display().to_string();
    let table = text_of(adapter(folder.path(), &["check", &component, "--cases", &own]));
    assert!(table.lines().any(|line| line.starts_with("hostile: 10 000 orders") && line.contains(" ok ")));
    assert!(table.contains("PASSED") && table.contains("sha256"), "{table}");
    fs::write(folder.path().join("page.wasm"), "<html>").unwrap();
    let output = adapter(folder.path(), &["check", "page.wasm"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stdout).unwrap().contains("FAILED"));
}
