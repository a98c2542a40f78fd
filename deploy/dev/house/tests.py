"""Each rule is seen to hold and to fail, on repositories of a few files."""

import tempfile
import textwrap
import unittest
from pathlib import Path

from . import circles, documents, sizes, sql, undocumented, words
from .source import Source, functions, sources

INHERITS = '[package]\nname = "demo"\n[lints]\nworkspace = true\n'
WORKSPACE = '[workspace.lints.rust]\nmissing_docs = "warn"\n'


class Repository(unittest.TestCase):
    """A folder with the given files; `crates/demo/src/` is where Rust goes."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        self.write("Cargo.toml", WORKSPACE)
        self.write("crates/demo/Cargo.toml", INHERITS)

    def write(self, path, text):
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(text))

    def rust(self, **files):
        for name, text in files.items():
            self.write(f"crates/demo/src/{name.replace('__', '/')}.rs", text)
        return sources(self.root)


class Circles(Repository):
    def circles(self, **files):
        self.rust(**files)
        return circles.circles(self.root)

    def test_imports_one_way_are_no_circle(self):
        found = self.circles(lib="mod a; mod b;", a="use crate::b::B; pub struct A(B);", b="pub struct B;")
        self.assertTrue(found.holds, found.offenders)

    def test_two_files_that_import_each_other_are_a_circle(self):
        found = self.circles(lib="mod a; mod b;", a="use crate::b::B;", b="use super::{a::{A}};")
        self.assertEqual(found.value, "1")
        self.assertIn("  crates/demo/src/b.rs:1 -> crates/demo/src/a.rs: A", found.offenders)

    def test_a_circle_over_three_files_is_one(self):
        found = self.circles(
            lib="mod a; mod b; mod c;", a="use crate::b::B;", b="use crate::c::C;", c="use crate::a::A;"
        )
        self.assertEqual((found.value, len(found.offenders)), ("1", 4))

    def test_an_item_that_lib_hands_on_belongs_to_its_own_file(self):
        found = self.circles(
            lib="mod a; mod b; pub use a::A; pub use b::B;",
            a="use crate::B; pub struct A(B);",
            b="use crate::A; pub struct B;",
        )
        self.assertEqual(found.value, "1")
        self.assertFalse([tie for tie in found.offenders if "lib.rs" in tie])

    def test_a_lib_that_only_hands_on_is_in_no_circle(self):
        found = self.circles(lib="mod a; pub use a::A; pub struct Limit;", a="use crate::Limit; pub struct A;")
        self.assertTrue(found.holds, found.offenders)

    def test_a_parent_and_a_child_that_use_each_other_are_a_circle(self):
        found = self.circles(
            lib="mod a;", a="mod child; pub struct A; fn go() { child::go() }", a__child="use super::A; pub fn go() {}"
        )
        self.assertEqual(found.value, "1")

    def test_a_path_in_the_code_counts_as_an_import(self):
        found = self.circles(lib="mod a; mod b;", a="fn a() { crate::b::b() }", b="use crate::a; fn b() { a::a() }")
        self.assertEqual(found.value, "1")

    def test_a_name_behind_a_glob_is_found(self):
        found = self.circles(
            lib="mod a; mod b; pub use b::*;", a="use crate::B; pub struct A;", b="use crate::a::A; pub struct B;"
        )
        self.assertEqual(found.value, "1")

    def test_a_macro_counts_where_it_is_called(self):
        found = self.circles(
            lib="#[macro_use] mod a; mod b;", a="macro_rules! shape { () => {} } use crate::b::B;", b="shape!(); struct B;"
        )
        self.assertEqual(found.value, "1")

    def test_tests_comments_and_strings_do_not_count(self):
        found = self.circles(
            lib="mod a; mod b;",
            a="use crate::b::B;",
            b='''
            // use crate::a::A;
            const TEXT: &str = "use crate::a::A;";
            #[cfg(test)]
            mod tests { use crate::a::A; }
            ''',
        )
        self.assertTrue(found.holds, found.offenders)


class Sizes(Repository):
    def test_a_file_of_401_lines_is_too_long(self):
        self.assertTrue(sizes.largest_file(self.rust(lib="\n" * 400)).holds)
        self.assertFalse(sizes.largest_file(self.rust(lib="\n" * 401)).holds)

    def test_a_function_of_61_lines_is_too_long(self):
        self.assertTrue(sizes.longest_function(self.rust(lib=function(60))).holds)
        found = sizes.longest_function(self.rust(lib=function(61)))
        self.assertEqual(found.offenders, ["crates/demo/src/lib.rs:1: long, 61 lines"])

    def test_one_struct_literal_may_have_any_length(self):
        fields = "\n".join(f"field_{n}: row.field_{n}," for n in range(80))
        for body in (f"Row {{\n{fields}\n}}", f"Ok(Row {{\n{fields}\n}})"):
            found = sizes.longest_function(self.rust(lib=f"fn row(row: Raw) -> Row {{\n{body}\n}}"))
            self.assertTrue(found.holds, found.offenders)

    def test_a_struct_literal_after_a_statement_may_not(self):
        fields = "\n".join(f"field_{n}: row.field_{n}," for n in range(80))
        for body in (f"let x = 1;\nRow {{\n{fields}\n}}", f"if x {{\n{fields}\n}}", f"Row {{\n{fields}\nx: {{ a; b }} }}"):
            found = sizes.longest_function(self.rust(lib=f"fn row(row: Raw) -> Row {{\n{body}\n}}"))
            self.assertFalse(found.holds)

    def test_the_ninth_decile_fails_when_two_of_ten_are_long(self):
        short, long = [function(5, f"s{n}") for n in range(8)], [function(26, f"l{n}") for n in range(2)]
        self.assertFalse(sizes.ninth_decile(self.rust(lib="\n".join(short + long))).holds)
        self.assertTrue(sizes.ninth_decile(self.rust(lib="\n".join(short + long[:1] + [function(5)] * 2))).holds)

    def test_a_declaration_without_a_body_is_no_function(self):
        found = list(functions(Source(Path("lib.rs"), "trait T { fn a(x: [u8; 4]); fn b() { c() } }")))
        self.assertEqual([one.name for one in found], ["b"])


class Words(Repository):
    def test_six_pronouns_in_a_hundred_words_are_too_many(self):
        self.assertTrue(words.pronouns(self.rust(lib=f"/// {'it ' * 5}{'noun ' * 95}")).holds)
        found = words.pronouns(self.rust(lib=f"/// {'it ' * 6}{'noun ' * 94}"))
        self.assertEqual(found.offenders, ["crates/demo/src/lib.rs:1: 6 of 100 words"])

    def test_names_between_backticks_are_one_noun(self):
        self.assertTrue(words.pronouns(self.rust(lib=f"// `it that this one` {'noun ' * 20}")).holds)

    def test_documents_are_held_to_the_same_share(self):
        self.write("README.md", f"{'it ' * 5}{'noun ' * 95}\n```\n{'it ' * 9}\n```\n")
        self.assertTrue(words.pronouns_in_documents(self.root).holds)
        self.write("README.md", f"{'it ' * 6}{'noun ' * 94}")
        self.assertFalse(words.pronouns_in_documents(self.root).holds)

    def test_texts_are_held_to_a_share_of_their_own(self):
        self.assertTrue(words.pronouns_in_texts(self.rust(lib=f'log::warn!("{"it " * 3}{"noun " * 97}");')).holds)
        found = words.pronouns_in_texts(self.rust(lib=f'\nlog::warn!("{"it " * 4}{"noun " * 96}");'))
        self.assertFalse(found.holds)
        self.assertEqual(found.offenders, ["crates/demo/src/lib.rs:2: it, it, it, it"])

    def test_sql_names_tests_and_placeholders_are_no_texts(self):
        code = """
        const SQL: &str = "SELECT it FROM that WHERE those";
        const NAME: &str = "what it";
        const TEXT: &str = "{it} was sent {that}";
        #[cfg(test)]
        mod tests { const TEXT: &str = "it is what it is"; }
        """
        self.assertEqual(words.pronouns_in_texts(self.rust(lib=code)).value, "0.00 % of 4 words")

    def test_a_text_that_begins_with_a_pronoun_is_told(self):
        texts = [f'const T{n}: &str = "it is gone";' for n in range(words.NAMELESS_SUBJECTS)]
        self.assertTrue(words.nameless_subjects(self.rust(lib="\n".join(texts))).holds)
        texts.append('#[error(\n"what is due was {lost}")]')
        found = words.nameless_subjects(self.rust(lib="\n".join(texts)))
        self.assertFalse(found.holds)
        self.assertEqual(found.offenders[-1], f"crates/demo/src/lib.rs:{len(texts) + 1}: begins with `what`")

    def test_docs_are_no_inline_comments(self):
        code = "fn a() {}\n" * 100
        self.assertFalse(words.inline_comments(self.rust(lib=f"//! Doc\n/// Doc\n{code}")).holds)
        self.assertTrue(words.inline_comments(self.rust(lib=f"// one\n{code}// two\n")).holds)

    def test_comments_of_tests_do_not_count_as_inline(self):
        code = "fn a() {}\n" * 100
        files = self.rust(lib=f"{code}#[cfg(test)]\nmod tests {{\n// one\n// two\nfn a() {{}}\n}}\n")
        self.assertFalse(words.inline_comments(files).holds)


class Sql(Repository):
    def test_four_lines_of_sql_are_too_long(self):
        self.assertTrue(sql.long_strings(self.rust(lib='const Q: &str = "SELECT a\nFROM b\nWHERE c";')).holds)
        found = sql.long_strings(self.rust(lib='\nconst Q: &str = r#"\nSELECT a\nFROM b\n"#;'))
        self.assertEqual(found.offenders, ["crates/demo/src/lib.rs:2: 4 lines of SQL"])

    def test_pieces_with_commas_between_are_one_string(self):
        found = sql.long_strings(self.rust(lib='x!("SELECT a\nFROM b ",\n"WHERE c\nORDER BY d")'))
        self.assertEqual(found.offenders, ["crates/demo/src/lib.rs:1: 4 lines of SQL"])

    def test_a_long_text_is_no_sql(self):
        self.assertTrue(sql.long_strings(self.rust(lib='const T: &str = "one\ntwo from\nthree\nfour";')).holds)


class Docs(Repository):
    def test_the_lint_must_be_on_everywhere(self):
        self.assertTrue(undocumented.missing_docs(self.root).holds)
        self.write("crates/demo/Cargo.toml", '[package]\nname = "demo"\n')
        self.assertFalse(undocumented.missing_docs(self.root).holds)
        self.write("crates/demo/Cargo.toml", INHERITS)
        self.write("Cargo.toml", "[workspace.lints.rust]\n")
        self.assertFalse(undocumented.missing_docs(self.root).holds)

    def test_an_exception_needs_a_reason(self):
        self.rust(lib='#![allow(missing_docs, reason = "generated")]')
        self.assertTrue(undocumented.missing_docs(self.root).holds)
        self.rust(lib="#[allow(missing_docs)] pub fn a() {}")
        self.assertFalse(undocumented.missing_docs(self.root).holds)


class Documents(Repository):
    def test_a_path_that_is_not_there_is_told(self):
        self.rust(lib="fn a_test_that_is_a_sentence() {}")
        self.write("ARCHITECTURE.md", "`demo/src/lib.rs` and `a_test_that_is_a_sentence` and `a_test_that_…`")
        self.assertTrue(documents.missing_names(self.root).holds)
        self.write("ARCHITECTURE.md", "\n`demo/src/no.rs` [x](no.md) `a_test_that_is_not_there`")
        found = documents.missing_names(self.root)
        self.assertEqual(len(found.offenders), 3, found.offenders)
        self.assertIn("ARCHITECTURE.md:2: demo/src/no.rs is not there", found.offenders)

    def test_placeholders_and_code_blocks_are_passed_over(self):
        self.write("CONTRIBUTING.md", "`crates/<name>/src/x.rs`\n```\n`no.rs`\n```\n`./dev test` `process_attempts_made_total`")
        self.assertTrue(documents.missing_names(self.root).holds)

    def test_a_file_named_twice_in_the_walkthrough_is_told(self):
        self.walk("`a.rs` `b.sql` `c.md`\n## Walkthrough: a retry\n`a.rs`")
        self.assertTrue(documents.event_walkthrough(self.root).holds)
        self.walk("`a.rs`\n`a.rs`")
        self.assertEqual(documents.event_walkthrough(self.root).offenders, ["ARCHITECTURE.md:4: a.rs is named twice"])

    def test_more_than_25_files_are_too_many(self):
        self.walk("\n".join(f"`f{n}.rs`" for n in range(25)))
        self.assertTrue(documents.event_walkthrough(self.root).holds)
        self.walk("\n".join(f"`f{n}.rs`" for n in range(26)))
        self.assertFalse(documents.event_walkthrough(self.root).holds)

    def test_a_walkthrough_without_files_is_none(self):
        self.assertFalse(documents.event_walkthrough(self.root).holds)

    def walk(self, text):
        self.write("ARCHITECTURE.md", f"# Architecture\n{documents.EVENT_SECTION}\n{text}")


class Tokens(unittest.TestCase):
    def test_braces_in_strings_chars_and_comments_do_not_count(self):
        text = "fn a<'x>() {\n let b = '{'; let c = \"}\\\"\"; // {\n /* { */ let d = r#\"}\"#;\n}\nfn e() {}"
        found = [(one.name, one.line, one.end) for one in functions(Source(Path("lib.rs"), text))]
        self.assertEqual(found, [("a", 1, 4), ("e", 5, 5)])


def function(lines, name="long"):
    return "\n".join([f"fn {name}() {{", *["let x = 1;"] * (lines - 2), "}"])
