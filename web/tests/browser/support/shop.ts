/** The repository of the staged fleet: a small shop in Python whose tests partly fail. */
import type { Files } from './repository'

export const SHOP: Files = {
  'README.md': '# Corner shop\n\nA small shop. `python3 -m unittest` runs its tests.\n',
  '.gitignore': '__pycache__/\n',
  'divisi.toml': '[[gates]]\nname = "compiles"\ncommand = "python3 -m compileall -q shop tests"\n',
  'shop/__init__.py': '',
  'shop/pager.py': `"""Pages of a long list."""


def page_count(items, size):
    """How many pages of \`size\` hold \`items\` items."""
    return items // size


def page(items, number, size):
    """The items on page \`number\`, counted from 1."""
    start = number * size
    return items[start:start + size]
`,
  'shop/money.py': `"""Amounts in cents."""


def add_tax(cents, percent):
    """The amount with tax, rounded half up to whole cents."""
    return int(cents + cents * percent / 100)
`,
  'shop/slug.py': `"""Names that are safe in addresses."""


def slug(title):
    """\`Hello, World!\` becomes \`hello-world\`."""
    return title.lower().replace(" ", "-")
`,
  'shop/cart.py': `"""What somebody is about to buy."""


class Cart:
    def __init__(self):
        self.lines = []

    def add(self, name, cents, count=1):
        self.lines.append((name, cents, count))
`,
  'shop/old_import.py': `"""Reads the lists of the old shop; nobody uses it any more."""


def read(path):
    with open(path) as file:
        return [line.split(";") for line in file]
`,
  'tests/__init__.py': '',
  'tests/test_pager.py': `import unittest
from shop.pager import page, page_count


class Pager(unittest.TestCase):
    def test_the_last_page_may_be_short(self):
        self.assertEqual(page_count(7, 3), 3)

    def test_pages_count_from_one(self):
        self.assertEqual(page([1, 2, 3, 4], 1, 2), [1, 2])
`,
  'tests/test_money.py': `import unittest
from shop.money import add_tax


class Money(unittest.TestCase):
    def test_tax_is_rounded_half_up(self):
        self.assertEqual(add_tax(250, 19), 298)
`,
  'tests/test_slug.py': `import unittest
from shop.slug import slug


class Slug(unittest.TestCase):
    def test_signs_become_one_dash(self):
        self.assertEqual(slug("Hello, World!"), "hello-world")
`,
}
