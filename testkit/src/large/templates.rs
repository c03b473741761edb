//! The files of the warehouse program, as text with `{names}` to fill in.

use super::Domain;

type File = (String, String);

/// The files that belong to no trade.
pub fn frame() -> Vec<(&'static str, &'static str)> {
    vec![
        ("README.md", README),
        ("LICENSE", "Made for tests; do with it what you like.\n"),
        (".gitignore", "__pycache__/\n*.pyc\nbuild/\n"),
        ("pyproject.toml", PYPROJECT),
        ("depot/__init__.py", "\"\"\"A warehouse, one package per trade.\"\"\"\n"),
        ("tests/__init__.py", ""),
        ("tools/count.py", COUNT),
        ("docs/index.md", "# Depot\n\nOne page per trade.\n"),
    ]
}

/// The package, the page and the sample data of a trade.
pub fn domain_files(domain: &Domain) -> Vec<File> {
    let package = domain.package;
    vec![
        (format!("depot/{package}/__init__.py"), fill(INIT, domain)),
        (format!("depot/{package}/model.py"), fill(MODEL, domain)),
        (format!("depot/{package}/rules.py"), fill(RULES, domain)),
        (format!("depot/{package}/store.py"), fill(STORE, domain)),
        (format!("depot/{package}/report.py"), fill(REPORT, domain)),
        (format!("docs/{package}.md"), fill(PAGE, domain)),
        (format!("data/{package}.json"), fill(DATA, domain)),
    ]
}

/// The tests of a trade.
pub fn test_files(domain: &Domain) -> Vec<File> {
    let package = domain.package;
    vec![
        (format!("tests/{package}/__init__.py"), String::new()),
        (format!("tests/{package}/test_model.py"), fill(TEST_MODEL, domain)),
        (format!("tests/{package}/test_rules.py"), fill(TEST_RULES, domain)),
        (format!("tests/{package}/test_store.py"), fill(TEST_STORE, domain)),
        (format!("tests/{package}/test_report.py"), fill(TEST_REPORT, domain)),
    ]
}

fn fill(template: &str, domain: &Domain) -> String {
    template
        .replace("{package}", domain.package)
        .replace("{record}", domain.record)
        .replace("{Class}", domain.class)
        .replace("{first}", domain.fields[0])
        .replace("{second}", domain.fields[1])
        .replace("{from}", &domain.discount_from.to_string())
        .replace("{percent}", &domain.discount.to_string())
}

const README: &str = "\
# Depot

A small warehouse program: orders, invoices, shipments and what belongs to them.

    python3 -m unittest discover -q -s tests -t .
";

const PYPROJECT: &str = "\
[project]
name = \"depot\"
version = \"1.4.0\"
requires-python = \">=3.8\"
dependencies = []
";

const COUNT: &str = "\
\"\"\"Counts the lines of the program.\"\"\"
import pathlib


def main():
    files = sorted(pathlib.Path(\"depot\").rglob(\"*.py\"))
    print(sum(len(path.read_text().splitlines()) for path in files))


if __name__ == \"__main__\":
    main()
";

const INIT: &str = "\
\"\"\"Everything about {package}.\"\"\"
from depot.{package}.model import {Class}
from depot.{package}.store import {Class}Store

__all__ = [\"{Class}\", \"{Class}Store\"]
";

const MODEL: &str = "\
\"\"\"One {record}, as a value.\"\"\"
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class {Class}:
    key: str
    {first}: str
    {second}: str
    quantity: int = 1
    unit_price: int = 0

    def __post_init__(self):
        if not self.key:
            raise ValueError(\"a {record} needs a key\")
        if self.quantity < 0:
            raise ValueError(\"the quantity of a {record} is never negative\")

    def with_quantity(self, quantity):
        return replace(self, quantity=quantity)

    def total(self):
        return self.quantity * self.unit_price
";

const RULES: &str = "\
\"\"\"What {package} cost.\"\"\"

DISCOUNT_FROM = {from}
DISCOUNT_PERCENT = {percent}


def discount(quantity):
    \"\"\"The discount in percent for a quantity.\"\"\"
    if quantity >= DISCOUNT_FROM:
        return DISCOUNT_PERCENT
    return 0


def price({record}):
    \"\"\"The price of a {record} in cents, after discount.\"\"\"
    full = {record}.total()
    return full - full * discount({record}.quantity) // 100
";

const STORE: &str = "\
\"\"\"Where {package} are kept.\"\"\"


class {Class}Store:
    def __init__(self):
        self._records = {}

    def add(self, record):
        if record.key in self._records:
            raise KeyError(f\"{record.key} is known already\")
        self._records[record.key] = record

    def get(self, key):
        return self._records[key]

    def take(self, key):
        \"\"\"Removes a {record} and returns it; None if there is none.\"\"\"
        return self._records.pop(key, None)

    def by_{first}(self, {first}):
        return [record for record in self if record.{first} == {first}]

    def __iter__(self):
        return iter(sorted(self._records.values(), key=lambda record: record.key))

    def __len__(self):
        return len(self._records)
";

const REPORT: &str = "\
\"\"\"Sums over {package}.\"\"\"


def total_quantity(records):
    return sum(record.quantity for record in records)


def average_price(records):
    \"\"\"The average price in cents, rounded; 0 for no {package}.\"\"\"
    records = list(records)
    if not records:
        return 0
    total = sum(record.unit_price for record in records)
    return round(total / len(records))


def lines(records):
    return [f\"{record.key}: {record.quantity} x {record.unit_price}\" for record in records]
";

const PAGE: &str = "\
# {package}

A {record} has a key, a {first}, a {second}, a quantity and a price in cents.

From {from} pieces on there is a discount of {percent} percent.
";

const DATA: &str = "\
[
  {\"key\": \"{record}-1\", \"{first}\": \"alpha\", \"{second}\": \"beta\", \"quantity\": {from}, \"unit_price\": {percent}},
  {\"key\": \"{record}-2\", \"{first}\": \"gamma\", \"{second}\": \"delta\", \"quantity\": {percent}, \"unit_price\": {from}}
]
";

const TEST_MODEL: &str = "\
import json
import pathlib
import unittest

from depot.{package} import {Class}


class ModelTest(unittest.TestCase):
    def test_a_total_is_quantity_times_price(self):
        self.assertEqual({Class}(\"a\", \"b\", \"c\", 3, {from}).total(), 3 * {from})

    def test_a_key_is_needed(self):
        with self.assertRaises(ValueError):
            {Class}(\"\", \"b\", \"c\")

    def test_a_quantity_is_never_negative(self):
        with self.assertRaises(ValueError):
            {Class}(\"a\", \"b\", \"c\", -1)

    def test_another_quantity_makes_another_value(self):
        one = {Class}(\"a\", \"b\", \"c\")
        self.assertEqual(one.with_quantity({percent}).quantity, {percent})
        self.assertEqual(one.quantity, 1)

    def test_the_sample_data_fits(self):
        text = pathlib.Path(\"data/{package}.json\").read_text()
        self.assertEqual(len([{Class}(**record) for record in json.loads(text)]), 2)
";

const TEST_RULES: &str = "\
import unittest

from depot.{package} import {Class}
from depot.{package}.rules import discount, price


class RulesTest(unittest.TestCase):
    def test_below_the_limit_there_is_no_discount(self):
        self.assertEqual(discount({from} - 1), 0)

    def test_from_the_limit_on_there_is_a_discount(self):
        self.assertEqual(discount({from}), {percent})

    def test_a_price_is_in_cents(self):
        self.assertEqual(price({Class}(\"a\", \"b\", \"c\", 1, 199)), 199)
        self.assertEqual(price({Class}(\"a\", \"b\", \"c\", {from}, 100)), {from} * (100 - {percent}))
";

const TEST_STORE: &str = "\
import unittest

from depot.{package} import {Class}, {Class}Store


class StoreTest(unittest.TestCase):
    def setUp(self):
        self.store = {Class}Store()
        self.store.add({Class}(\"b\", \"x\", \"y\"))
        self.store.add({Class}(\"a\", \"z\", \"y\"))

    def test_records_come_in_order(self):
        self.assertEqual([record.key for record in self.store], [\"a\", \"b\"])

    def test_a_key_is_known_once(self):
        with self.assertRaises(KeyError):
            self.store.add({Class}(\"a\", \"x\", \"y\"))

    def test_what_is_taken_is_gone(self):
        self.assertEqual(self.store.take(\"a\").key, \"a\")
        self.assertEqual(len(self.store), 1)
        self.assertIsNone(self.store.take(\"a\"))

    def test_records_are_found_by_{first}(self):
        self.assertEqual([record.key for record in self.store.by_{first}(\"x\")], [\"b\"])
";

const TEST_REPORT: &str = "\
import unittest

from depot.{package} import {Class}
from depot.{package}.report import average_price, lines, total_quantity


class ReportTest(unittest.TestCase):
    def setUp(self):
        self.records = [{Class}(\"a\", \"b\", \"c\", 2, 10), {Class}(\"d\", \"e\", \"f\", 3, {percent} * 2 + 10)]

    def test_quantities_are_summed(self):
        self.assertEqual(total_quantity(self.records), 5)

    def test_the_average_is_rounded(self):
        self.assertEqual(average_price(self.records + self.records[1:]), round((30 + {percent} * 4) / 3))

    def test_there_is_no_average_of_nothing(self):
        self.assertEqual(average_price([]), 0)

    def test_one_line_for_each(self):
        self.assertEqual(lines(self.records)[0], \"a: 2 x 10\")
";
