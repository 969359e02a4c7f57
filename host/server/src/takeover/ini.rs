//! `pool_config` of an ALP-Server: sections of keys and values, as Python's parser reads them.
//! It knows no key of it.

use std::collections::BTreeMap;

/// Values by section and key. Keys are in lower case, as that parser makes them.
pub(super) type Ini = BTreeMap<String, BTreeMap<String, String>>;

/// Reads it. Lines that are neither are told by their numbers.
pub(super) fn read_ini(text: &str) -> (Ini, Vec<usize>) {
    let (mut ini, mut odd) = (Ini::new(), Vec::new());
    let mut section = String::new();
    for (line, number) in text.lines().zip(1..) {
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
            continue;
        }
        if let Some(name) = trimmed.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            name.clone_into(&mut section);
            continue;
        }
        match trimmed.find(['=', ':']).and_then(|at| trimmed.split_at_checked(at)) {
            Some((key, value)) if !key.trim().is_empty() => {
                let value = value.get(1..).unwrap_or_default();
                // What follows a blank and a semicolon is a remark.
                let value = value.split(" ;").next().unwrap_or_default().trim();
                let values = ini.entry(section.clone()).or_default();
                values.insert(key.trim().to_lowercase(), value.to_owned());
            }
            Some(_) | None => odd.push(number),
        }
    }
    (ini, odd)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_keys_remarks_and_both_separators_are_read() {
        let text = "# a remark\n[pool]\nname=my pool\nMinimum_Payout: 1 ; coins\n\n[rpc]\npass = a=b:c;d\nnonsense\n";
        let (ini, odd) = read_ini(text);
        assert_eq!(ini["pool"]["name"], "my pool");
        assert_eq!(ini["pool"]["minimum_payout"], "1");
        assert_eq!(ini["rpc"]["pass"], "a=b:c;d");
        assert_eq!(odd, [8]);
    }
}
