"""A file of the user's own: it imports what lies beside it, and nothing else of the program notices."""

import sys

import pytest

from theory.user_file import run_file


def test_it_imports_modules_and_packages_beside_it_whatever_folder_one_stands_in(tmp_path):
    (tmp_path / "helper_one.py").write_text("VALUE = 1\n")
    (tmp_path / "helper_two").mkdir()
    (tmp_path / "helper_two" / "__init__.py").write_text("from helper_one import VALUE\n")
    (tmp_path / "mine.py").write_text("from helper_two import VALUE\n")
    assert run_file(tmp_path / "mine.py", "mine_for_this_test").VALUE == 1


def test_two_files_with_a_module_of_the_same_name_beside_them_each_get_their_own(tmp_path):
    values = []
    for folder in ("a", "b", "a"):
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / "helper_three.py").write_text(f"VALUE = {folder!r}\n")
        (tmp_path / folder / "mine.py").write_text("from helper_three import VALUE\n")
        values.append(run_file(tmp_path / folder / "mine.py", "mine_for_this_test").VALUE)
    assert values == ["a", "b", "a"]


@pytest.mark.parametrize("end", ["", "raise ValueError('at the end')"])
def test_the_path_is_as_before_and_no_installed_module_is_replaced(tmp_path, end):
    (tmp_path / "random.py").write_text("raise SystemExit('the wrong random')\n")
    (tmp_path / "antigravity.py").write_text("raise SystemExit('the wrong antigravity')\n")
    (tmp_path / "mine.py").write_text(f"import random, numpy, textwrap\n{end}\n")
    before = list(sys.path)
    random = sys.modules.pop("random")  # to be looked for again
    try:
        if end:
            with pytest.raises(ValueError, match="at the end"):
                run_file(tmp_path / "mine.py", "mine_for_this_test")
        else:
            assert run_file(tmp_path / "mine.py", "mine_for_this_test").random.__file__ == random.__file__
    finally:
        sys.modules["random"] = random
    assert sys.path == before


def test_what_lies_beside_it_is_not_found_by_the_rest_of_the_program(tmp_path):
    (tmp_path / "absent_package.py").write_text("")
    (tmp_path / "mine.py").write_text("")
    run_file(tmp_path / "mine.py", "mine_for_this_test")
    with pytest.raises(ModuleNotFoundError):
        import absent_package  # noqa: F401  # pyright: ignore[reportMissingImports]


def test_what_it_prints_goes_to_stderr(tmp_path, capsys):
    (tmp_path / "mine.py").write_text("print('hello')\n")
    run_file(tmp_path / "mine.py", "mine_for_this_test")
    assert capsys.readouterr() == ("", "hello\n")
