//! Names of refs.

/// The rules of `git check-ref-format`, so that a name can never be an option, a range or a path trick.
pub(crate) fn is_ref_name(full: &str) -> bool {
    full.len() <= 250
        && !full.ends_with(['/', '.'])
        && !full.contains("..")
        && !full.contains("@{")
        && !full.contains(|c: char| c.is_control() || " ~^:?*[\\".contains(c))
        && full
            .split('/')
            .all(|part| !part.is_empty() && !part.starts_with(['.', '-']) && !part.ends_with(".lock"))
}

#[cfg(test)]
mod tests {
    use super::is_ref_name;

    #[test]
    fn ref_names_follow_gits_rules() {
        for good in ["refs/heads/main", "refs/heads/divisi/t12-short-title-2", "refs/heads/\u{e9}"] {
            assert!(is_ref_name(good), "{good}");
        }
        for bad in [
            "refs/heads/",
            "refs/heads/a..b",
            "refs/heads/-x",
            "refs/heads/.x",
            "refs/heads/a b",
            "refs/heads/a.lock",
            "refs/heads/x@{1}",
            "refs/heads/a:b",
            "refs/heads/a//b",
            "refs/heads/a\n",
        ] {
            assert!(!is_ref_name(bad), "{bad}");
        }
    }
}
