"""How requirements are installed: by hash whoever does it, and uv asks where pip was told to ask."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def packages() -> ModuleType:
    spec = importlib.util.spec_from_file_location("deploy_packages", ROOT / "deploy" / "packages.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    """A virtual environment whose pip writes down what it is asked and can do nothing; its folder."""
    folder = tmp_path / "venv"
    subprocess.run((sys.executable, "-m", "venv", "--without-pip", folder), check=True)
    (site,) = folder.glob("lib/python*/site-packages")
    asked = str(tmp_path / "asked")
    (site / "pip.py").write_text(
        f"import sys\nwith open({asked!r}, 'a') as file:\n    print(*sys.argv[1:], file=file)\n"
        "sys.exit(0 if 'list' in sys.argv else 7)\n"
    )
    return folder


def _installed(environment: Path, locked: str, *folders: str) -> int:
    program: list[str | Path] = [environment / "bin" / "python", ROOT / "deploy" / "packages.py"]
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return subprocess.run(
        [*program, locked, *folders], cwd=environment.parent, env=variables, capture_output=True, check=False
    ).returncode


@pytest.mark.parametrize(
    ("listed", "told"),
    [
        ("", {}),
        ("global.index-url='https://mirror.example/simple'", {"UV_DEFAULT_INDEX": "https://mirror.example/simple"}),
        (
            ":env:.index-url='https://env.example'\nglobal.index-url='https://file.example'\ninstall.index-url='https://in.example'",
            {"UV_DEFAULT_INDEX": "https://env.example"},
        ),
        ("global.cert='/etc/ca.pem'\nglobal.timeout='60'", {"SSL_CERT_FILE": "/etc/ca.pem"}),
        ("freeze.timeout='10'", {}),
    ],
)
def test_uv_asks_the_index_that_pip_was_told(packages: ModuleType, listed: str, told: dict[str, str]) -> None:
    assert packages.told_to_uv(listed) == told


@pytest.mark.parametrize("name", ["no-index", "no-binary", "only-binary", "proxy", "trusted-host", "pre", "a-new-one"])
def test_who_told_pip_more_than_uv_can_be_told_has_pip(packages: ModuleType, name: str) -> None:
    assert packages.told_to_uv(f"global.{name}='true'") is None


def test_pip_installs_by_hash_where_uv_cannot_be_had(environment: Path) -> None:
    assert _installed(environment, "locked.txt") == 7, "what pip ends with is what is told"
    asked = (environment.parent / "asked").read_text().splitlines()
    assert asked[-1].endswith("-r locked.txt")
    assert all("--require-hashes" in line for line in asked if "install" in line)


def test_pip_installs_what_uv_does_not_manage(environment: Path) -> None:
    (environment / "bin" / "uv").write_text("#!/bin/sh\nexit 2\n")
    (environment / "bin" / "uv").chmod(0o755)
    assert _installed(environment, "locked.txt") == 7
    assert (
        (environment.parent / "asked")
        .read_text()
        .splitlines()[-1]
        .endswith("--require-hashes --no-compile -r locked.txt")
    )


def test_uv_installs_by_hash_and_what_sources_import_is_compiled(environment: Path) -> None:
    told = environment.parent / "uv-asked"
    (environment / "bin" / "uv").write_text(f'#!/bin/sh\necho "$@" > {told}\n')
    (environment / "bin" / "uv").chmod(0o755)
    (site,) = environment.glob("lib/python*/site-packages")
    (site / "used.py").write_text("X = 1\n")
    (site / "unused.py").write_text("X = 1\n")
    (environment.parent / "ours").mkdir()
    (environment.parent / "ours" / "one.py").write_text("def f():\n    from used import X\n")
    assert _installed(environment, "locked.txt", "ours") == 0
    assert "--require-hashes" in told.read_text()
    assert [path.name.partition(".")[0] for path in site.glob("__pycache__/u*.pyc")] == ["used"]
    assert list((environment.parent / "ours").glob("__pycache__/one.*.pyc"))


def test_a_hash_that_is_not_the_locked_one_is_refused_by_uv(tmp_path: Path) -> None:
    uv = Path(sys.executable).with_name("uv")
    wheel = tmp_path / "thing-1.0-py3-none-any.whl"
    with ZipFile(wheel, "w") as archive:
        archive.writestr("thing-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: thing\nVersion: 1.0\n")
        archive.writestr("thing-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr("thing-1.0.dist-info/RECORD", "")
    (tmp_path / "locked.txt").write_text(f"thing @ {wheel.as_uri()} --hash=sha256:{'0' * 64}\n")
    command = (uv, "pip", "install", "--require-hashes", "--offline", "--no-cache", "--target", tmp_path / "into")
    done = subprocess.run((*command, "-r", tmp_path / "locked.txt"), capture_output=True, text=True, check=False)
    assert done.returncode
    assert "Hash mismatch" in done.stderr


def test_uv_is_locked_in_one_version() -> None:
    (alone,) = [
        line for line in (ROOT / "requirements-install.txt").read_text().splitlines() if line.startswith("uv==")
    ]
    assert alone in (ROOT / "requirements-dev.txt").read_text().splitlines()
