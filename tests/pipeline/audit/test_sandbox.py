"""What templates of strangers reach: nothing of Python, of the machine, or of what their process was started with."""

import builtins
import collections
import io
import itertools
import json
import subprocess
import sys
from types import (
    AsyncGeneratorType,
    CodeType,
    CoroutineType,
    FrameType,
    FunctionType,
    GeneratorType,
    MethodType,
    ModuleType,
    TracebackType,
)

import pytest
from jinja2 import Undefined
from jinja2.exceptions import SecurityError

from olist_pipeline.audit import pool, report
from olist_pipeline.audit.audit import audit
from olist_pipeline.audit.jinja import MacroText, Renderer
from olist_pipeline.audit.reading import Job
from olist_pipeline.audit.sandbox import PLAIN, TIMES

FORBIDDEN = (
    ModuleType, CodeType, FrameType, TracebackType, GeneratorType, CoroutineType, AsyncGeneratorType, type, io.IOBase,
)  # fmt: skip
BUILTINS = [getattr(builtins, name) for name in ("eval", "exec", "open", "compile", "__import__", "getattr", "vars")]
INTERNAL = (
    "__class__", "__globals__", "__builtins__", "__subclasses__", "__bases__", "__mro__", "mro", "__init__", "__self__",
    "__dict__", "__code__", "__func__", "__wrapped__", "__reduce__", "__reduce_ex__", "__module__", "__getattribute__",
    "gi_frame", "gi_code", "cr_frame", "ag_frame", "f_globals", "f_back", "tb_frame", "_environment", "_func", "_host",
    "_values", "_TemplateReference__context", "environment", "sys", "os", "modules", "renderer", "load", "source",
)  # fmt: skip
PROBES = """
{% macro own(x) %}{{ probe(caller) }}{{ probe(varargs) }}{{ probe(kwargs) }}{{ probe(x) }}{% endmacro %}
{% call own(1, 2, three=3) %}{% endcall %}
{% for x in [1, 2] %}{{ probe(loop) }}{{ probe(loop.cycle) }}{% endfor %}
{% for group in [{'a': 1}] | groupby('a') %}{{ probe(group) }}{% endfor %}
{{ probe(self) }}{{ probe(own) }}{{ probe(shop.theirs) }}{{ probe(nobody) }}{{ probe(nobody.knows) }}
{{ probe(cycler(1, 2)) }}{{ probe(joiner()) }}{{ probe(namespace(a=1)) }}{{ probe([1] | map('string')) }}
{{ probe(modules.re.compile('a')) }}{{ probe(modules.re.match('a', 'a')) }}{{ probe('{}'.format) }}
{{ probe(modules.pytz.timezone('America/Sao_Paulo')) }}{{ probe(modules.itertools.chain([1], [2])) }}
{{ probe(run_query('select 1')) }}{{ probe(ref('a')) }}{{ probe(api.Column('a')) }}{{ probe(adapter.dispatch('x')) }}
{{ probe('a' | escape) }}{{ probe('a'.encode('utf-8')) }}{{ probe({'a': 1}.items()) }}
{{ probe(1.5) }}{{ probe(1 == 1) }}{{ probe(this) }}{{ probe(model) }}{{ probe(none) }}
"""


def renderer_with_macros():
    return Renderer([MacroText("shop", "m.sql", "{% macro theirs() %}x{% endmacro %}")], {"a": [1]}, "duckdb", "shop")


def kind_of(value):
    """Return what values have in common that give the same answers."""
    if isinstance(value, (*PLAIN, *TIMES)):
        return type(value)
    if isinstance(value, FunctionType | MethodType) or type(value).__name__ == "builtin_function_or_method":
        return value.__qualname__
    return id(value)


def reachable(environment, start):
    """Yield every value that templates reach by attributes, items and calls without arguments, and the way to it."""
    kept, known = [], set()
    waiting = collections.deque(start.items())
    while waiting:
        way, value = waiting.popleft()
        if kind_of(value) in known or isinstance(value, Undefined):
            continue
        known.add(kind_of(value))
        kept.append(value)  # else its id could be given to another one
        yield way, value
        if way.count(".") + way.count("(") > 6:
            continue
        names = {
            *INTERNAL,
            *dir(value),
            *dir(type(value)),
            *getattr(value, "public", ()),
            *getattr(value, "_values", ()),
        }
        for name in sorted(names):
            for ask in (environment.getattr, environment.getitem):
                try:
                    waiting.append((f"{way}.{name}", ask(value, name)))
                except (SecurityError, ValueError, TypeError):
                    continue
        if isinstance(value, collections.abc.Mapping | list | tuple):
            items = value.values() if isinstance(value, collections.abc.Mapping) else value
            waiting.extend((f"{way}[{place}]", item) for place, item in enumerate(items))
        if environment.is_safe_callable(value):
            try:
                waiting.append((f"{way}()", value()))
            except Exception:  # most need arguments
                continue


def test_no_name_leads_to_python_itself():
    renderer = renderer_with_macros()
    environment = renderer._environment
    probed = []

    def probe(value):
        probed.append(value)
        return ""

    environment.globals["probe"] = probe
    renderer.render(PROBES, "model")
    del environment.globals["probe"]
    assert len(probed) > 25
    start = {**environment.globals, **{f"probe {number}": value for number, value in enumerate(probed)}}
    seen = 0
    for way, value in reachable(environment, start):
        seen += 1
        if type(value).__name__ == "generator":  # what `map` makes: it gives its items and nothing else
            assert not any(environment.is_safe_attribute(value, name, None) for name in dir(value)), way
            continue
        assert not isinstance(value, FORBIDDEN), way
        assert not any(value is function for function in BUILTINS), way
        for name in INTERNAL[:24]:
            assert is_kept_back(environment, value, name), f"{way}.{name}"
    assert seen > 200


def is_kept_back(environment, value, name):
    """Return whether a template gets something else than Python's own attribute of a value, or nothing."""
    try:
        given = environment.getattr(value, name)
    except SecurityError:
        return True
    return isinstance(given, Undefined) or given is not getattr(value, name, None)


ESCAPES = [
    "modules.re.sys.modules['os'].popen(COMMAND).read()",
    "modules.datetime.sys.modules['os'].environ['MARK']",
    "modules.re.enum.sys.modules['os'].environ['MARK']",
    "modules['itertools']['__loader__']",
    "modules.re.compile.__globals__['sys'].modules['os'].environ['MARK']",
    "modules.datetime.datetime.__reduce__",
    "run_started_at.__reduce_ex__(2)[0].__globals__",
    "''.__class__.__mro__[1].__subclasses__()",
    "().__class__.__base__.__subclasses__()",
    "''['__class__']['mro']()",
    "''|attr('__class__')",
    "''|attr('\\x5f\\x5fclass\\x5f\\x5f')",
    "[''] | map(attribute='__class__') | list",
    "[''] | map('attr', '__class__') | list",
    "[modules.re] | groupby('__class__')",
    "[''] | selectattr('__class__') | list",
    "[''] | sum(attribute='__class__')",
    "[''] | sort(attribute='__class__.__name__')",
    "'{0.__class__.__mro__}'.format('')",
    "'{x.__class__}'.format_map({'x': ''})",
    "('{0.__class__}' | attr('format'))('')",
    "['{0.__class__}'.format][0]('')",
    "modules.re.sub('a', '{0.__class__}'.format, 'a')",
    "modules.itertools.starmap('{0.__class__}'.format, [('',)]) | list",
    "lipsum.__globals__['os'].popen(COMMAND).read()",
    "cycler.__init__.__globals__.os.popen(COMMAND).read()",
    "joiner.__init__.__globals__.os.environ['MARK']",
    "namespace.__init__.__globals__.os.environ['MARK']",
    "range.__globals__",
    "dict.mro()",
    "self.__init__.__globals__",
    "self._TemplateReference__context.environment.globals",
    "ref.__globals__['copy'].__builtins__",
    "ref.__closure__[0].cell_contents",
    "var.__call__.__globals__",
    "adapter.dispatch.__func__.__globals__",
    "adapter._host._environment.overlay",
    "config.get.__globals__",
    "shop.theirs.renderer._environment",
    "shop._host",
    "shop.theirs._func.__globals__",
    "none.__class__",
    "nobody.__init__.__globals__",
    "nobody._undefined_exception",
    "(1).__class__",
    "([1] | map('string')).gi_frame.f_globals",
    "run_query('x').__class__",
    "fromyaml('!!python/object/apply:os.system [COMMAND]')",
    "fromyaml('!!python/name:os.environ')",
    "modules.pytz.timezone('../../../../etc/passwd')",
    "modules.pytz.open_resource('/etc/passwd')",
    "env_var('MARK')",
    "context.environment",
    "builtins.open('/etc/passwd')",
    "api.Relation.create.__globals__",
    "target.__init__.__globals__",
    "exceptions.warn.__globals__",
]
STATEMENTS = [
    "{% include '/etc/passwd' %}",
    "{% import 'os' as os %}{{ os.environ }}",
    "{% extends '/etc/passwd' %}",
    "{% for x in [1] %}{{ loop.__init__.__globals__ }}{% endfor %}",
    "{% for x in [1] %}{{ loop._iterator.__class__ }}{% endfor %}",
    "{% macro m() %}{{ caller.__globals__ }}{{ caller._func }}{% endmacro %}{% call m() %}{% endcall %}",
    "{% macro m() %}{{ m._environment }}{% endmacro %}{{ m() }}",
    "{% set ns = namespace() %}{% set ns.__class__ = 1 %}{{ ns.__class__ }}",
    "{% set ns = namespace(x=modules.re) %}{{ ns.x.sys }}{{ ns._Namespace__attrs }}",
    "{% macro __init__() %}{% endmacro %}{{ __init__.__globals__ }}",
    "{% set f = 'format' %}{{ '{0.__class__}'[f]('') }}",
    "{% filter attr('__class__') %}x{% endfilter %}",
]


def test_no_published_escape_gets_out(tmp_path, monkeypatch):
    project, outside = tmp_path / "project", tmp_path / "outside.sql"
    (project / "models").mkdir(parents=True)
    (project / "macros").mkdir()
    (project / "dbt_project.yml").write_text("name: shop\n")
    (project / "macros" / "m.sql").write_text("{% macro theirs() %}x{% endmacro %}")
    outside.write_text("select case when a > 1 then 'fi1e-mark' end as b from t")
    monkeypatch.setenv("MARK", "env1ronment-mark")
    made = tmp_path / "made"
    texts = [f"select '{{{{ {escape} }}}}' as x" for escape in ESCAPES] + STATEMENTS
    for number, text in enumerate(texts):
        shell = f"'touch {made}; echo $MARK; cat {outside}'"
        (project / "models" / f"escape_{number:02}.sql").write_text(text.replace("COMMAND", shell))
    (project / "models" / "link.sql").symlink_to(outside)
    found = audit(project)
    told = report.as_json(found)
    assert found.files == len(texts) + 1
    assert "env1ronment-mark" not in told
    assert "fi1e-mark" not in told
    assert "root:" not in told
    assert not made.exists()
    refused = {problem.file for problem in found.problems}
    # What is left writes a name: the default of env_var, and a namespace's own attribute.
    harmless = [text for number, text in enumerate(texts) if f"models/escape_{number:02}.sql" not in refused]
    assert [text for text in harmless if "__" in text or "modules" in text] == []
    assert ("models/link.sql", "It is a link that leads out of the project: it was not read.") in [
        (problem.file, problem.message) for problem in found.problems
    ]


def test_what_macros_of_dbt_use_still_works():
    text = """
    {%- set xs = [] -%}{%- do xs.append('a') -%}{%- set d = {} -%}{%- do d.update({'k': 1}) -%}
    {%- set ns = namespace(n=0) -%}{%- for x in 'ab' -%}{%- set ns.n = ns.n + loop.index -%}{%- endfor -%}
    {{ xs | join }} {{ d.k }}{{ d['k'] }}{{ d.get('z', 2) }} {{ ns.n }} {{ 'A'.lower() }} {{ '{}-{x}'.format(1, x=2) }}
    {{ modules.datetime.datetime.strptime('2020-01-31', '%Y-%m-%d').strftime('%d') }}
    {{ (modules.datetime.date(2020, 1, 1) + modules.datetime.timedelta(days=1)).isoformat() }}
    {{ modules.datetime.datetime.now().year > 2000 }} {{ modules.re.sub('[0-9]', '', 'a1', flags=modules.re.I) }}
    {{ modules.re.match('(?P<x>a)b', 'ab').group('x') }} {{ modules.re.compile('b').findall('abb') | length }}
    {{ modules.itertools.chain.from_iterable([[1], [2]]) | list }}
    {{ modules.itertools.product('a', 'b') | list | length }}
    {{ modules.pytz.timezone('America/Sao_Paulo').localize(modules.datetime.datetime(2020, 1, 1)).isoformat() }}
    {{ run_started_at.strftime('%Y') }} {{ run_started_at.astimezone(modules.pytz.utc).year }}
    {{ set([1, 1]) | length }}
    {% for a, b in zip([1], [2]) %} {{ a }}{{ b }}{% endfor %} {{ graph.nodes.values() | list }}
    {{ 'x' * 3 }}{{ 2 ** 5 }} {{ dbt_utils._is_relation('a', 'b') }} {{ dict(a=1).a }} {{ cycler('o', 'e').next() }}
    {{ tojson({'a': 1}) }}
    """
    macros = [MacroText("dbt_utils", "m.sql", "{% macro _is_relation(a, b) %}rel{% endmacro %}")]
    rendered = Renderer(macros, {}, "duckdb", "shop").render(text, "model")
    assert rendered.unknown == ()
    assert " ".join(rendered.sql.split()) == (
        "a 112 3 a 1-2 31 2020-01-02 True a a 2 [1, 2] 1 2020-01-01T00:00:00-03:00 2020 2020 1 12 [] xxx32 rel 1 o "
        '{"a": 1}'
    )


def test_no_model_changes_what_another_reads():
    renderer = Renderer([], {"days": [1]}, "duckdb", "shop")
    change = "{% do var('days').append(2) %}{{ var('days') }}"
    assert [renderer.render(change, "model").sql for _ in range(2)] == ["[1]", "[1]"]


@pytest.mark.parametrize(
    "text", ["10 ** 10 ** 9 ** 9", "9 ** 9 ** 9", "'a' * 10 ** 10", "[1] * 10 ** 10", "10 ** 10 * '-'"]
)
def test_no_arithmetic_takes_longer_than_the_alarm_can_wait(text):
    with pytest.raises(Exception, match=r"is not (computed|made)"):
        Renderer([], {}, "duckdb", "").render(f"{{% set n = {text} %}}{{% set m = n ** n %}}", "model")


STARTED = """
import json, os, sys
sys.stdin.readline()
for line in sys.stdin:
    files, descriptors = os.listdir("."), len(os.listdir("/proc/self/fd"))
    told = [dict(os.environ), os.getcwd(), files, descriptors, os.getsid(0) == os.getpid()]
    print(json.dumps({"file": json.dumps(told), "findings": [], "technical": [], "problems": []}), flush=True)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_worker_is_started_with_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("MARK", "env1ronment-mark")
    monkeypatch.setattr(pool, "START", STARTED)
    (tmp_path / "model.sql").write_text("select 1")
    job = Job(str(tmp_path / "model.sql"), "model.sql", None)
    with (tmp_path / "open").open("w"):
        [answer] = pool.audit_files([job], {})
    environment, folder, files, descriptors, is_leader = json.loads(answer.file)
    # Python itself sets LC_CTYPE where nothing says which characters are meant.
    assert set(environment) <= {"LC_CTYPE"}
    assert files == []
    assert folder not in (str(tmp_path), "/")
    assert descriptors == 4, "the three pipes, and the one that reads the folder"
    assert is_leader


CONFINED = """
import json, os, socket, subprocess, sys
from pathlib import Path
from olist_pipeline.audit.confinement import confine
own, other = map(Path, sys.argv[1:])
held = confine([own])
def tried(act):
    try:
        act()
    except (OSError, RuntimeError) as error:
        return type(error).__name__
    return "done"
acts = {
    "calls socket": lambda: socket.socket(),
    "calls fork": lambda: os._exit(0) if os.fork() == 0 else None,
    "calls start": lambda: subprocess.run(["true"]),
    "calls signal": lambda: os.kill(os.getppid(), 0),
    "calls write": lambda: (own / "new").touch(),
    "calls remove": lambda: (own / "file").unlink(),
    "files read": lambda: other.read_text(),
    "files environment": lambda: Path(f"/proc/{os.getppid()}/environ").read_bytes(),
    "limits write": lambda: (own / "file").write_text("more"),
}
told = {name: tried(act) for name, act in acts.items()}
told["reads"] = (own / "file").read_text()
import xml.dom.minidom
print(json.dumps([held, told]))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the means are the Linux kernel's")
def test_a_confined_process_reads_what_it_was_given_and_nothing_else(tmp_path):
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "file").write_text("given")
    (tmp_path / "other").write_text("secret")
    command = [sys.executable, "-B", "-c", CONFINED, str(tmp_path / "own"), str(tmp_path / "other")]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    held, told = json.loads(result.stdout)
    assert told.pop("reads") == "given"
    assert (tmp_path / "own" / "file").read_text() == "given"
    assert "limits" in held
    done = [name for name, outcome in told.items() if name.split()[0] in held and outcome == "done"]
    assert done == []
    if not {"files", "calls"} <= set(held):
        pytest.skip(f"this kernel allows only {held}")
    assert set(itertools.chain(told.values())) <= {"PermissionError", "OSError", "RuntimeError"}
