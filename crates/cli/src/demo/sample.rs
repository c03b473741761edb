//! The sample repository of the demonstration: a small shop in Python with a real test suite that partly fails.

/// A file of the sample: path and content.
pub(crate) const FILES: &[(&str, &str)] = &[
    (
        "README.md",
        "# Sample shop\n\nA small shop with three known defects. Run the tests with `python3 -m unittest`.\n",
    ),
    (".gitignore", "__pycache__/\n"),
    ("divisi.toml", DIVISI_TOML),
    ("shop/__init__.py", ""),
    ("shop/pager.py", PAGER),
    ("shop/slug.py", SLUG),
    ("shop/money.py", MONEY),
    ("tests/__init__.py", ""),
    ("tests/test_pager.py", TEST_PAGER),
    ("tests/test_slug.py", TEST_SLUG),
    ("tests/test_money.py", TEST_MONEY),
];

const DIVISI_TOML: &str = r#"# Every change must at least compile. The tasks of the demonstration bring their own tests as criteria.
[[gates]]
name = "compiles"
command = "python3 -m compileall -q shop tests"
"#;

const PAGER: &str = r#""""Pages of a long list."""


def page_count(items, size):
    """How many pages of `size` hold `items` items."""
    return items // size


def page(items, number, size):
    """The items on page `number`, counted from 1."""
    start = number * size
    return items[start:start + size]
"#;

const SLUG: &str = r#""""Names that are safe in addresses."""


def slug(title):
    """`Hello, World!` becomes `hello-world`."""
    return title.lower().replace(" ", "-")
"#;

const MONEY: &str = r#""""Amounts in cents."""


def add_tax(cents, percent):
    """The amount with tax, rounded half up to whole cents."""
    return int(cents + cents * percent / 100)


def show(cents):
    """`1234` becomes `12.34`."""
    return f"{cents // 100}.{cents % 100}"
"#;

const TEST_PAGER: &str = r#"import unittest

from shop.pager import page, page_count


class PagerTest(unittest.TestCase):
    def test_the_last_page_may_be_short(self):
        self.assertEqual(page_count(10, 3), 4)
        self.assertEqual(page_count(9, 3), 3)
        self.assertEqual(page_count(0, 3), 0)

    def test_pages_count_from_one(self):
        self.assertEqual(page([1, 2, 3, 4, 5], 1, 2), [1, 2])
        self.assertEqual(page([1, 2, 3, 4, 5], 3, 2), [5])


if __name__ == "__main__":
    unittest.main()
"#;

const TEST_SLUG: &str = r#"import unittest

from shop.slug import slug


class SlugTest(unittest.TestCase):
    def test_words_are_joined(self):
        self.assertEqual(slug("Hello World"), "hello-world")

    def test_everything_else_goes(self):
        self.assertEqual(slug("Hello,  World!"), "hello-world")
        self.assertEqual(slug("--a--"), "a")


if __name__ == "__main__":
    unittest.main()
"#;

const TEST_MONEY: &str = r#"import unittest

from shop.money import add_tax, show


class MoneyTest(unittest.TestCase):
    def test_tax_rounds_half_up(self):
        self.assertEqual(add_tax(100, 19), 119)
        self.assertEqual(add_tax(50, 1), 51)

    def test_cents_have_two_digits(self):
        self.assertEqual(show(1234), "12.34")
        self.assertEqual(show(1205), "12.05")


if __name__ == "__main__":
    unittest.main()
"#;
