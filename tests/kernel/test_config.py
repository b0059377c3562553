"""Settings: where they come from, who wins, and what a mistyped one answers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from atrio.kernel.config import (
    Config,
    ConfigError,
    ConfigSection,
    DatabaseConfig,
    ServerConfig,
    Sources,
    StorageConfig,
    base_url,
    database_url,
    kernel_config,
    option,
)


@dataclass(frozen=True)
class BirdConfig:
    """A section with one option of each kind."""

    song: str = option("tweet", env="BIRD_SONG", choices=("tweet", "croak"), help="What it sings.")
    legs: int = option(2, minimum=1, maximum=4, help="How many legs.", formerly=("feet",))
    weight: float = option(0.5, minimum=0, help="Kilograms.")
    flies: bool = option(True, help="Whether it flies.")
    names: tuple[str, ...] = option((), help="What it is called.")
    nest: Path = option(Path("nest"), help="Where it lives.")
    secret: str | None = option(None, env="BIRD_SECRET", secret=True, help="What it never tells.")


BIRD = ConfigSection("bird", BirdConfig)


def parse(file: dict[str, Any] | None = None, env: dict[str, str] | None = None, **flags: Any) -> BirdConfig:
    """Return the section as these sources give it."""
    config = Config(Sources(None, {"bird": file or {}}, env or {}, {f"bird.{k}": v for k, v in flags.items()}))
    config.add(BIRD)
    return config[BirdConfig]


def test_defaults() -> None:
    assert parse() == BirdConfig()


def test_command_line_wins_over_environment_over_file_over_default() -> None:
    file, env = {"legs": 1}, {"ATRIO_BIRD__LEGS": "3"}
    assert parse(file).legs == 1
    assert parse(file, env).legs == 3
    assert parse(file, env, legs="4").legs == 4


def test_the_general_variable_wins_over_the_short_one_and_an_empty_one_is_none() -> None:
    env = {"BIRD_SONG": "croak"}
    assert parse(env=env).song == "croak"
    assert parse(env=env | {"ATRIO_BIRD__SONG": "tweet"}).song == "tweet"
    assert parse({"song": "croak"}, {"ATRIO_BIRD__SONG": ""}).song == "croak"


def test_origin_names_where_a_value_came_from() -> None:
    config = Config(Sources(Path("x.toml"), {"bird": {"legs": 1}}, {"BIRD_SONG": "croak"}, {"bird.flies": "no"}))
    config.add(BIRD)
    assert {k: config.origin[f"bird.{k}"] for k in ("legs", "song", "flies", "weight")} == {
        "legs": "x.toml", "song": "BIRD_SONG", "flies": "command line", "weight": "default",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("key", "given", "expected"),
    [
        ("legs", "3", 3),
        ("weight", 2, 2.0),
        ("weight", "1.5", 1.5),
        ("flies", "off", False),
        ("flies", "YES", True),
        ("flies", 0, False),
        ("names", "wren, tit,,wren", ("wren", "tit")),
        ("names", ["a", "b"], ("a", "b")),
        ("nest", "/tmp/x", Path("/tmp/x")),
        ("secret", "", None),
    ],
)
def test_values_are_converted(key: str, given: Any, expected: Any) -> None:
    found = getattr(parse({key: given}), key)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("key", "given", "message"),
    [
        ("legs", 0, "bird.legs: at least 1, got 0"),
        ("legs", 5, "bird.legs: at most 4, got 5"),
        ("legs", "two", "bird.legs: expected integer, got 'two'"),
        ("legs", True, "expected integer"),
        ("legs", 2.5, "expected integer"),
        ("weight", "nan", "expected number"),
        ("weight", "inf", "expected number"),
        ("weight", -1, "at least 0"),
        ("flies", "maybe", "expected boolean"),
        ("names", [1], "expected list of strings"),
        ("names", {"a": 1}, "expected list of strings"),
        ("nest", ["x"], "expected path"),
        ("song", "moo", "expected one of tweet, croak, got 'moo'"),
        ("song", True, "expected string"),
    ],
)
def test_bad_values_name_their_key(key: str, given: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=r"bird\.") as caught:
        parse({key: given})
    assert message in str(caught.value)


def test_an_old_key_still_works_and_the_new_one_wins() -> None:
    assert parse({"feet": 3}).legs == 3
    assert parse({"feet": 3, "legs": 4}).legs == 4


def test_a_secret_comes_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("  quiet \n")
    assert parse({"secret_file": str(path)}).secret == "quiet"
    assert parse(env={"BIRD_SECRET_FILE": str(path)}).secret == "quiet"
    assert parse(env={"ATRIO_BIRD__SECRET_FILE": str(path)}).secret == "quiet"
    assert parse(env={"BIRD_SECRET_FILE": str(path), "BIRD_SECRET": "loud"}).secret == "loud"


def test_an_unreadable_secret_file_is_an_error_and_other_keys_have_no_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot read the secret"):
        parse({"secret_file": str(tmp_path / "absent")})
    with pytest.raises(ConfigError, match="unknown key bird.song_file"):
        parse({"song_file": "x"})


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: parse({"leg": 1}), "unknown key bird.leg (did you mean 'legs'?)"),
        (lambda: parse(env={"ATRIO_BIRD__LEGGS": "1"}), "(did you mean 'ATRIO_BIRD__LEGS'?)"),
        (lambda: parse(weigth=1), "unknown key bird.weigth (did you mean 'weight'?)"),
        (lambda: parse({"zzzz": 1}), "unknown key bird.zzzz"),
    ],
)
def test_a_mistyped_key_names_its_neighbour(call: Any, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        call()
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "sources",
    [
        Sources(None, {"sever": {}}, {}, {}),
        Sources(None, {}, {"ATRIO_SEVER__BIND": "x"}, {}),
        Sources(None, {}, {}, {"sever.bind": "x"}),
    ],
)
def test_a_mistyped_section_names_its_neighbour(sources: Sources) -> None:
    config = kernel_config(sources)
    assert config.unknown_sections(config.sections) == ["unknown section [sever] (did you mean 'server'?)"]


def test_a_section_that_is_no_table() -> None:
    with pytest.raises(ConfigError, match=r"expected a table \[server\]"):
        kernel_config(Sources(None, {"server": 1}))


def test_a_section_declared_twice() -> None:
    config = Config(Sources())
    config.add(BIRD)
    config.add(BIRD)
    with pytest.raises(ConfigError, match="declared twice"):
        config.add(ConfigSection("bird", ServerConfig))


def test_the_file_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    named = tmp_path / "named.toml"
    named.write_text("[server]\nthreads = 3\n")
    assert kernel_config(Sources.load(named, {}))[ServerConfig].threads == 3
    assert kernel_config(Sources.load(None, {"ATRIO_CONFIG": str(named)}))[ServerConfig].threads == 3
    assert kernel_config(Sources.load(None, {}))[ServerConfig].threads == 8
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "atrio.toml").write_text("[server]\nthreads = 4\n")
    assert kernel_config(Sources.load(None, {}))[ServerConfig].threads == 4
    (tmp_path / "atrio.toml").write_text("[server]\nthreads = 5\n")
    assert kernel_config(Sources.load(None, {}))[ServerConfig].threads == 5


def test_a_missing_or_broken_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="does not exist"):
        Sources.load(tmp_path / "absent.toml", {})
    broken = tmp_path / "broken.toml"
    broken.write_text("[server\n")
    with pytest.raises(ConfigError, match=r"broken\.toml"):
        Sources.load(broken, {})


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("postgresql://u@h/d", "postgresql+psycopg://u@h/d"),
        ("postgres://u@h/d", "postgresql+psycopg://u@h/d"),
        ("mysql://u@h/d", "mysql+pymysql://u@h/d"),
        ("mariadb://u@h/d", "mysql+pymysql://u@h/d"),
        ("sqlite:////x.db", "sqlite:////x.db"),
    ],
)
def test_database_urls_get_their_driver(given: str, expected: str) -> None:
    assert database_url(kernel_config(Sources(None, {}, {}, {"database.url": given}))) == expected


def test_the_default_database_lies_in_the_data_folder(tmp_path: Path) -> None:
    config = kernel_config(Sources(None, {}, {"ATRIO_DATA_DIR": str(tmp_path)}))
    assert config[StorageConfig].data_dir == tmp_path
    assert database_url(config) == f"sqlite:///{tmp_path}/atrio.db"


def test_the_public_address() -> None:
    assert base_url(kernel_config(Sources())) == "http://127.0.0.1:8080"
    tls = Sources(None, {}, {}, {"server.tls_cert": "c", "server.bind": "h:1"})
    assert base_url(kernel_config(tls)) == "https://h:1"
    assert base_url(kernel_config(Sources(None, {"website": {"base_url": "https://a.b/"}}))) == "https://a.b"


def test_a_secret_is_not_shown_in_its_error() -> None:
    with pytest.raises(ConfigError) as caught:
        kernel_config(Sources(None, {"database": {"url": ["hunter2"]}}))
    assert "hunter2" not in str(caught.value)
    assert "database.url" in str(caught.value)
    assert DatabaseConfig().url == ""
