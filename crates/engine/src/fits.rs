//! Which paths fit a few letters that a person typed.

/// Most paths that are offered.
const OFFERED: usize = 50;

/// The paths that fit, the best first: those whose file name begins with the letters, then those that hold them in the
/// name, then anywhere, then those that hold them in this order with others between. Shorter ones come first.
pub(crate) fn best(paths: Vec<String>, words: &str) -> Vec<String> {
    let words = words.to_lowercase();
    let mut fitting: Vec<_> =
        paths.into_iter().filter_map(|path| Some((rank(&path.to_lowercase(), &words)?, path))).collect();
    fitting.sort_by(|(a, x), (b, y)| (a, x.len(), x).cmp(&(b, y.len(), y)));
    fitting.into_iter().map(|(_, path)| path).take(OFFERED).collect()
}

fn rank(path: &str, words: &str) -> Option<u8> {
    let name = path.rsplit('/').next().unwrap_or(path);
    if name.starts_with(words) {
        return Some(0);
    }
    if name.contains(words) {
        return Some(1);
    }
    if path.contains(words) {
        return Some(2);
    }
    let mut letters = path.chars();
    words.chars().all(|word| letters.any(|letter| letter == word)).then_some(3)
}

#[cfg(test)]
mod tests {
    use super::best;

    #[test]
    fn the_nearest_come_first() {
        let paths = ["src/lib.rs", "src/parser/mod.rs", "docs/parsing.md", "src/parser.rs", "a/p-ars-e.txt"];
        let fits = |words| best(paths.map(str::to_owned).to_vec(), words);
        assert_eq!(fits("pars"), ["src/parser.rs", "docs/parsing.md", "src/parser/mod.rs", "a/p-ars-e.txt"]);
        assert_eq!(fits("PARSER/m"), ["src/parser/mod.rs"]);
        assert_eq!(fits("nothing"), [] as [&str; 0]);
        assert_eq!(fits("").len(), 5);
    }
}
