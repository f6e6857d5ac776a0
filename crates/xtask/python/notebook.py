"""Runs the cells of a notebook, one after another in one namespace, and writes or compares outputs.

    python notebook.py NOTEBOOK [--write]

What a cell prints and the value of its last line are its output, as a notebook shows them: HTML where
the value has `_repr_html_`. It runs in the folder of the notebook. Exit code 1 where outputs differ.
"""

import ast
import contextlib
import io
import json
import os
import sys
from pathlib import Path


def lines(text):
    return text.splitlines(keepends=True)


def outputs(source, names, count):
    tree = ast.parse("".join(source))
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    printed, value = io.StringIO(), None
    with contextlib.redirect_stdout(printed):
        exec(compile(tree, "<cell>", "exec"), names)
        if last is not None:
            value = eval(compile(ast.Expression(last.value), "<cell>", "eval"), names)
    found = []
    if printed.getvalue():
        found.append({"name": "stdout", "output_type": "stream", "text": lines(printed.getvalue())})
    if value is not None:
        data = {"text/plain": lines(repr(value))}
        if hasattr(value, "_repr_html_"):
            data["text/html"] = lines(value._repr_html_())
        found.append({"data": data, "execution_count": count, "metadata": {}, "output_type": "execute_result"})
    return found


def main(path, write):
    notebook = json.loads(path.read_text())
    os.chdir(path.parent)
    names, count, differ = {"__name__": "__main__"}, 0, []
    for cell in notebook["cells"]:
        if cell["cell_type"] != "code":
            continue
        count += 1
        found = outputs(cell["source"], names, count)
        if cell["outputs"] != found:
            differ.append(f"cell {count} has\n{json.dumps(cell['outputs'], indent=1)}\nand gives\n{json.dumps(found, indent=1)}")
        cell["outputs"], cell["execution_count"] = found, count
    if write:
        path.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n")
        return 0
    print("\n".join(differ) or f"{count} cells as they are written")
    return 1 if differ or not count else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).resolve(), "--write" in sys.argv[2:]))
