//! The files of cases that the pool's rules are tested by, read as an operator would have them read.

use super::*;

const FIXED_POT: &str = include_str!("../../../pool/tests/vectors/alp.json");
const AUCTION: &str = include_str!("../../../pool/tests/vectors/tllp.json");
const CURVE: &str = include_str!("../../../pool/tests/vectors/sigmoid.json");

#[test]
fn every_case_of_every_kind_is_as_expected() {
    for (file, least) in [(FIXED_POT, 600), (AUCTION, 500), (CURVE, 11)] {
        let rows = check(file).unwrap();
        assert!(rows.len() >= least, "{} numbers", rows.len());
        let wrong: Vec<&Row> = rows.iter().filter(|row| !row.is_right()).collect();
        assert!(wrong.is_empty(), "{wrong:?}");
    }
}

#[test]
fn a_wrong_number_is_found_and_marked() {
    let spoilt = AUCTION.replacen("\"alice\":0.75", "\"alice\":0.75000002", 1);
    assert_ne!(spoilt, AUCTION);
    let rows = check(&spoilt).unwrap();
    let wrong: Vec<&Row> = rows.iter().filter(|row| !row.is_right()).collect();
    assert_eq!(wrong.len(), 1);
    assert_eq!((wrong[0].who.as_str(), wrong[0].got.as_str()), ("alice", "0.75"));
    let table = table(&rows);
    assert_eq!(table.lines().filter(|line| line.ends_with("0.00000002  WRONG")).count(), 1);
    assert!(table.ends_with(&format!("{} numbers compared, 1 wrong\n", rows.len())));
}

#[test]
fn a_wrong_pot_is_wrong_by_whatever_it_is_off() {
    let spoilt = FIXED_POT.replacen("\"ask.rank_2\":\"0.02315600\"", "\"ask.rank_2\":\"0.02315601\"", 1);
    assert_ne!(spoilt, FIXED_POT);
    assert_eq!(check(&spoilt).unwrap().iter().filter(|row| !row.is_right()).count(), 1);
}

#[test]
fn what_is_no_file_of_cases_is_refused_with_the_reason() {
    assert!(matches!(check("{"), Err(CasesError::Json(_))));
    assert!(matches!(check("[]"), Err(CasesError::Count(0))));
    assert!(matches!(check("[{\"a\":1}]"), Err(CasesError::Unknown)));
    let missing = check("[{\"width\":1}]").unwrap_err();
    assert!(matches!(missing, CasesError::Case { number: 1, source: CaseError::Members(_) }));
    let negative = CURVE.replacen("\"width\":100", "\"width\":-100", 1);
    let error = check(&negative).unwrap_err();
    let CasesError::Case { source, .. } = error else { panic!("{error}") };
    assert_eq!(source.to_string(), "the number -100 is negative");
}
