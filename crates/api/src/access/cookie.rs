//! The cookie of a device. Browsers send the cookies of a host to every port of it, so its name tells the port.

/// How long a browser keeps it, in seconds: as long as browsers allow, because the daemon decides itself.
const AGE_SECONDS: u32 = 400 * 24 * 3600;

/// The value of `Set-Cookie`. No script can read it, and no other site's page makes the browser send it.
pub(super) fn set(port: u16, secret: &str, secure: bool) -> String {
    let secure = if secure { "; Secure" } else { "" };
    format!("divisi-{port}={secret}; Path=/; Max-Age={AGE_SECONDS}; HttpOnly; SameSite=Strict{secure}")
}

/// The secret in the `Cookie` headers of a request. Two of the same name are none: one of them was planted.
pub(super) fn value<'a>(headers: &[&'a str], port: u16) -> Option<&'a str> {
    let name = format!("divisi-{port}");
    let pairs =
        headers.iter().flat_map(|header| header.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let mut values = pairs.filter(|(key, _)| *key == name).map(|(_, value)| value);
    let first = values.next()?;
    values.next().is_none().then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_set_is_found_again_among_others() {
        assert_eq!(
            set(4519, "ab", true),
            "divisi-4519=ab; Path=/; Max-Age=34560000; HttpOnly; SameSite=Strict; Secure"
        );
        assert!(!set(4519, "ab", false).contains("Secure"));
        for (headers, wanted) in [
            (vec!["divisi-4519=ab"], Some("ab")),
            (vec!["a=b; divisi-4519=ab;c=d"], Some("ab")),
            (vec!["a=b", "divisi-4519=ab"], Some("ab")),
            (vec!["divisi-4520=ab; xdivisi-4519=ab; divisi-4519"], None),
            (vec!["divisi-4519=ab; divisi-4519=cd"], None),
            (vec![], None),
        ] {
            assert_eq!(value(&headers, 4519), wanted, "{headers:?}");
        }
    }
}
