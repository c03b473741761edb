//! What a Rust file mentions: paths and macros with their lines, without comments, strings and test modules.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// A path (`std::fs::File`) or a macro (`println`) at a place.
#[derive(Debug, PartialEq, Eq)]
pub struct Mention {
    pub name: String,
    pub line: usize,
}

/// All mentions of a file. `use a::{b, c::d}` mentions `a::b` and `a::c::d`.
#[derive(Debug, Default)]
pub struct Code {
    pub paths: Vec<Mention>,
    pub macros: Vec<Mention>,
    /// The lines that a string of several lines touches: snapshots and other data, hardly code.
    pub lines_in_strings: BTreeSet<usize>,
    /// How many characters of a line belong to raw strings that begin and end on it.
    pub raw_width: BTreeMap<usize, usize>,
}

impl Code {
    /// Reads a file. One that cannot be read as Rust has no mentions: the compiler will say why.
    pub fn read(text: &str) -> Code {
        let mut code = Code::default();
        if let Ok(tokens) = text.parse::<TokenStream>() {
            code.note_strings(tokens.clone());
            code.visit(tokens);
        }
        code
    }

    fn note_strings(&mut self, tokens: TokenStream) {
        for token in tokens {
            match token {
                TokenTree::Group(group) => self.note_strings(group.stream()),
                TokenTree::Literal(literal) => {
                    let (start, end) = (literal.span().start(), literal.span().end());
                    if start.line < end.line {
                        self.lines_in_strings.extend(start.line..=end.line);
                    } else if literal.to_string().starts_with(['r', 'b']) {
                        *self.raw_width.entry(start.line).or_default() += end.column - start.column;
                    }
                }
                _ => {}
            }
        }
    }

    fn visit(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut at = 0;
        while at < tokens.len() {
            match &tokens[at] {
                TokenTree::Punct(punct) if punct.as_char() == '#' => match attribute(&tokens, at) {
                    Some(Attribute::WholeFileIsTest) => return,
                    Some(Attribute::ItemIsTest) => at = end_of_item(&tokens, at + 2),
                    None => at += 1,
                },
                TokenTree::Ident(_) => at = self.path(&tokens, at, ""),
                TokenTree::Group(group) => {
                    self.visit(group.stream());
                    at += 1;
                }
                _ => at += 1,
            }
        }
    }

    /// Reads the path that starts at an identifier; returns where it ends.
    fn path(&mut self, tokens: &[TokenTree], start: usize, prefix: &str) -> usize {
        let line = tokens[start].span().start().line;
        let mut name = format!("{prefix}{}", tokens[start]);
        let mut at = start + 1;
        while is_double_colon(tokens, at) {
            match tokens.get(at + 2) {
                Some(TokenTree::Ident(segment)) => name = format!("{name}::{segment}"),
                Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                    self.branches(group.stream(), &format!("{name}::"));
                    return at + 3;
                }
                _ => break,
            }
            at += 3;
        }
        let is_macro = is_punct(tokens, at, '!') && !is_punct(tokens, at + 1, '=');
        let list = if is_macro { &mut self.macros } else { &mut self.paths };
        list.push(Mention { name, line });
        at
    }

    /// Reads the inside of `a::{…}`.
    fn branches(&mut self, tokens: TokenStream, prefix: &str) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut at = 0;
        while at < tokens.len() {
            match &tokens[at] {
                TokenTree::Ident(word) if *word == "self" => {
                    let name = prefix.trim_end_matches(':').to_owned();
                    self.paths.push(Mention { name, line: word.span().start().line });
                    at += 1;
                }
                // The new name of `as` is no path of its own.
                TokenTree::Ident(word) if *word == "as" => at += 2,
                TokenTree::Ident(_) => at = self.path(&tokens, at, prefix),
                _ => at += 1,
            }
        }
    }
}

enum Attribute {
    ItemIsTest,
    WholeFileIsTest,
}

/// Whether the attribute at `#` says that what follows is compiled for tests only.
fn attribute(tokens: &[TokenTree], at: usize) -> Option<Attribute> {
    let inner = is_punct(tokens, at + 1, '!');
    let TokenTree::Group(group) = tokens.get(if inner { at + 2 } else { at + 1 })? else { return None };
    let text: String = group.stream().to_string().split_whitespace().collect();
    if text != "cfg(test)" && !text.starts_with("cfg(all(test,") {
        return None;
    }
    Some(if inner { Attribute::WholeFileIsTest } else { Attribute::ItemIsTest })
}

/// The place after the item that starts at `at`: after its block or its semicolon.
fn end_of_item(tokens: &[TokenTree], mut at: usize) -> usize {
    while let Some(token) = tokens.get(at) {
        at += 1;
        match token {
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => return at,
            TokenTree::Punct(punct) if punct.as_char() == ';' => return at,
            _ => {}
        }
    }
    at
}

fn is_double_colon(tokens: &[TokenTree], at: usize) -> bool {
    is_punct(tokens, at, ':') && is_punct(tokens, at + 1, ':')
}

fn is_punct(tokens: &[TokenTree], at: usize, wanted: char) -> bool {
    matches!(tokens.get(at), Some(TokenTree::Punct(punct)) if punct.as_char() == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(text: &str) -> Vec<String> {
        Code::read(text)
            .paths
            .into_iter()
            .map(|mention| mention.name)
            .filter(|name| name.contains("::"))
            .collect()
    }

    #[test]
    fn a_tree_of_uses_is_spread_out() {
        let text = "use std::{fs::{self, File as F}, process::Command};\nuse tokio::net::*;";
        assert_eq!(paths(text), ["std::fs", "std::fs::File", "std::process::Command", "tokio::net"]);
    }

    #[test]
    fn paths_are_found_in_types_calls_and_macros() {
        let text = "fn f(x: std::fs::File) { select! { _ = tokio::time::sleep(d) => std::env::var(\"A\") } }";
        assert_eq!(paths(text), ["std::fs::File", "tokio::time::sleep", "std::env::var"]);
    }

    #[test]
    fn comments_strings_and_tests_are_no_mentions() {
        let text = "// std::fs\n/// std::fs\nconst A: &str = \"std::fs\";\n#[cfg(test)]\nmod tests { use std::fs; }\nuse a::b;";
        assert_eq!(paths(text), ["a::b"]);
        assert_eq!(paths("#![cfg(test)]\nuse std::fs;"), Vec::<String>::new());
        assert_eq!(paths("#[cfg(test)]\nuse a::b;\nuse c::d;"), ["c::d"]);
    }

    #[test]
    fn the_lines_of_a_long_string_are_known() {
        let code = Code::read("fn f() {\n    g(\n        r#\"one\ntwo\nthree\"#,\n    );\n}");
        assert_eq!(code.lines_in_strings, BTreeSet::from([3, 4, 5]));
    }

    #[test]
    fn macros_are_told_from_negations_and_have_their_line() {
        let code = Code::read("fn f() {\n    if a != b {\n        println!(\"x\");\n    }\n}");
        assert_eq!(code.macros, [Mention { name: "println".into(), line: 3 }]);
    }
}
