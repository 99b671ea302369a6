"""`freehold export` and `freehold import`, as our own archive and as the container of FEP-6fcd."""

from __future__ import annotations

import tarfile

from tests.node.cli.freehold import Freehold


def test_a_tar_file_goes_out_and_comes_in(environ, tmp_path):
    freehold = Freehold(tmp_path / "data", environ)
    freehold.set_up()
    freehold.run("profile", "set", "--headline", "Maps of harbours")
    file = tmp_path / "all.tar"
    written = freehold.json("export", str(file))
    assert written["contents"]["profile"] == 1
    with tarfile.open(file, "r:") as archive:
        assert archive.getnames()[0] == "manifest.yml"
    assert [path.name for path in tmp_path.glob("all*")] == ["all.tar"]
    freehold.run("export", str(file), code=1)
    freehold.run("profile", "set", "--headline", "Another")
    report = {part["section"]: part for part in freehold.json("import", str(file))}
    assert report["profile"]["restored"] == 1
    assert freehold.json("profile", "show")["headline"] == "Maps of harbours"
    assert not list((tmp_path / "data").glob("tmp*"))
