//! Which addresses are taken for real (contract 3).

/// Whether it is written like an address.
pub(super) fn is_address(text: &str) -> bool {
    let text = text.trim();
    let Some((local, domain)) = text.rsplit_once('@') else {
        return false;
    };
    let labels: Vec<&str> = domain.split('.').collect();
    let label = |label: &&str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_alphanumeric() || c == '-')
    };
    let odd = |c: char| c.is_whitespace() || c.is_control() || "@,;:<>()[]\\\"".contains(c);
    !local.is_empty()
        && text.len() <= 254
        && !local.contains(odd)
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..")
        && labels.len() > 1
        && labels.iter().all(label)
}

/// Whether nobody is believed to have it. `patterns` are parts of addresses.
pub(super) fn looks_fake(text: &str, patterns: &[String]) -> bool {
    let text = text.trim().to_lowercase();
    text.ends_with("@example.com")
        || text == "foo@bar.com"
        || patterns
            .iter()
            .any(|part| text.contains(&part.to_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_address() {
        let good = [
            "a@x.org",
            "Ada.Lovelace+news@mail.example.net",
            " a@x.org ",
            "jürgen@bücher.example",
        ];
        assert!(good.iter().all(|text| is_address(text)));
        let bad = [
            "",
            "a",
            "a@",
            "@x.org",
            "a@x",
            "a b@x.org",
            "a@x..org",
            "a@-x.org",
            ".a@x.org",
            "a,b@x.org",
            "a@b@x.org",
        ];
        assert_eq!(
            bad.iter()
                .filter(|text| is_address(text))
                .collect::<Vec<_>>(),
            [] as [&&str; 0]
        );
        assert!(
            looks_fake("Somebody@Example.com", &[])
                && looks_fake("a@test.org", &["@TEST.".to_owned()])
        );
        assert!(!looks_fake("a@sub.example.com", &[]));
    }
}
