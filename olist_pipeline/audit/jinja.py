"""Jinja of dbt rendered to SQL, without dbt and without a database.

What belongs here: the sandbox, the project's own macros and packages, and errors with their lines. What does not:
the names that dbt gives to templates (`dbt_names`), and SQL.

Nothing here is bounded in time: a template may loop for ever. `worker` bounds it, from inside and from outside.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from jinja2 import ChainableUndefined, Template, TemplateError, TemplateSyntaxError
from jinja2.runtime import Macro

from olist_pipeline.audit.dbt_names import CompilerError, ReturnedError, names_of
from olist_pipeline.audit.dbt_values import Package, Relation, Result, Unknown
from olist_pipeline.audit.package_macros import PACKAGES
from olist_pipeline.audit.profiles import Target
from olist_pipeline.audit.sandbox import PLAIN, Sandbox
from olist_pipeline.audit.sql_macros import SQL_MACROS
from olist_pipeline.audit.templates import macros_alone, plain_template
from olist_pipeline.yaml_text import UNMERGED, conflict_in

JINJA = re.compile(r"\{\{|\{%|\{#")
NOBODYS = Target()
MACRO = re.compile(r"\{%-?\s*(macro|test|materialization)\s+(\w+)")


class RenderError(Exception):
    """A template that cannot be rendered; `line` counts from 1, None where it is not known."""

    def __init__(self, line: int | None, message: str) -> None:
        self.line = line
        super().__init__(message)


@dataclass(frozen=True)
class Rendered:
    """SQL that a template gave, and what it needs and nobody knows: macros, names and variables, each with its line.

    settings: what it says of its model by `config(...)`.
    """

    sql: str
    unknown: tuple[tuple[int | None, str], ...]
    unset: tuple[tuple[int | None, str], ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class MacroText:
    """One file of macros: whose, where, and what."""

    package: str
    path: str
    text: str


class Renderer:
    """Renders the templates of one project.

    `sources` are files that may hold macros; one is compiled when one of its macros is called first. It is the `Host`
    of what templates are given: it holds what they are told and have said of their model in the present rendering.
    """

    def __init__(
        self,
        sources: list[MacroText],
        variables: Mapping[str, Any],
        adapter: str,
        project: str,
        target: Target = NOBODYS,
    ) -> None:
        self.adapter = adapter
        self.renderings = 0
        self._project = project
        self._environment = _Environment(
            undefined=_undefined_of(self),
            extensions=["jinja2.ext.do", "jinja2.ext.loopcontrols"],
            keep_trailing_newline=True,
        )
        self._environment.filters.update(
            as_bool=lambda value: value, as_number=lambda value: value, as_native=lambda value: value, as_text=str
        )
        self._missing: list[str] = []
        self._unset: list[str] = []
        self.settings: dict[str, Any] = {}
        self.is_incremental = self.has_rows = self.hides_unknown = False
        self._macros: dict[str, dict[str, LazyMacro]] = {package: {} for package in PACKAGES}
        # dbt's own macros are known by their bare names, too.
        names = {**SQL_MACROS, **names_of(variables, adapter, project, self, target)}
        for source in sources:
            for kind, name in MACRO.findall(source.text):
                if kind != "macro":
                    continue
                macro = LazyMacro(self, source, name)
                self._macros.setdefault(source.package, {})[name] = macro
                if source.package in ("", project) or name not in names or name in SQL_MACROS:
                    names[name] = macro
        packages = {package: Package(package, self) for package in self._macros}
        self._environment.globals.update({**packages, **names})

    def unset(self, name: str) -> None:
        """Note that a variable is read that has no value."""
        self._unset.append(name)

    def written(self, text: str) -> str:
        """Return what a template within a value writes; the text itself where it is none."""
        try:
            return self.compile(text).render() if has_jinja(text) else text
        except TemplateSyntaxError:
            return text

    def configured(self, settings: Mapping[str, Any]) -> None:
        """Note what a template says of its model."""
        self.settings |= {str(key): value for key, value in settings.items()}

    def remembering(self) -> Callable[[], None]:
        """Return what forgets the macros and variables that are noted as missing from now on."""
        known = [(names, len(names)) for names in (self._missing, self._unset)]

        def forget() -> None:
            for names, count in known:
                del names[count:]

        return forget

    def missing(self, what: str) -> None:
        """Note what nobody knows: a macro that is called (`Macro x`), or another name that is written (`Name x`)."""
        self._missing.append(what)

    def find(self, name: str) -> Any:
        """Return what has a name in every template, None where nothing has."""
        return self._environment.globals.get(name)

    def macro(self, package: str, name: str) -> Any:
        """Return a macro of one package, None where it has none of this name."""
        return self._macros.get(package, {}).get(name)

    def compile(self, text: str) -> Template:
        """Return a template, its blocks that only dbt knows made plain."""
        return self._environment.from_string(plain_template(text))

    def render(
        self,
        text: str,
        model: str,
        *,
        is_incremental: bool = False,
        has_rows: bool = False,
        hides_unknown: bool = False,
    ) -> Rendered:
        """Return the SQL of a template; raises RenderError.

        is_incremental: as for a table that is there. has_rows: with one made-up row of each query. hides_unknown: with
        nothing in place of macros that nobody knows and that are given no text.
        """
        self.renderings += 1
        self._missing, self._unset, self.settings = [], [], {}
        self.is_incremental, self.has_rows, self.hides_unknown = is_incremental, has_rows, hides_unknown
        own = {"name": model, "alias": model, "package_name": self._project, "resource_type": "model"}
        self._environment.globals |= {"execute": has_rows, "this": Relation(model), "model": own}
        try:
            sql = self.compile(text).render()
        except TemplateSyntaxError as error:
            raise RenderError(error.lineno, f"Its Jinja is not well formed: {_first_line(error)}") from None
        except ReturnedError:
            raise RenderError(None, "It calls return() outside of a macro") from None
        except RecursionError as error:
            raise RenderError(line_of_template(error), "Its macros call each other without an end") from None
        except MemoryError as error:
            raise RenderError(line_of_template(error), "Its Jinja needs more memory than it may have") from None
        except (
            TemplateError,
            CompilerError,
            SyntaxError,
            ArithmeticError,
            LookupError,
            TypeError,
            ValueError,
            AttributeError,
        ) as error:
            line = line_of_template(error)
            unset = f"; {how_to_set(self._unset[-1])}" if self._unset else ""
            raise RenderError(line, f"Its Jinja cannot be rendered: {_first_line(error)}{unset}") from None
        lines = text.splitlines()
        unknown, missed = (dict.fromkeys(names) for names in (self._missing, self._unset))
        return Rendered(
            sql,
            tuple((_line_with(lines, name), name) for name in unknown),
            tuple((_line_with(lines, name), name) for name in missed),
            self.settings,
        )


def how_to_set(variable: str) -> str:
    """Return what a person types to give a variable a value."""
    return f"variable {variable} has no value: give it with --vars '{{{variable}: ...}}'"


def _undefined_of(renderer: Renderer) -> type[ChainableUndefined]:
    """Return what an unknown name is in templates: false, or written out and noted."""

    class Unknowable(ChainableUndefined):
        def __call__(self, *args: Any, **kwargs: Any) -> str:  # type: ignore[override]
            return str(Unknown(str(self._undefined_name), renderer)(*args, **kwargs))

        def __getattr__(self, name: str) -> Any:
            if name.startswith("_"):
                raise AttributeError(name)
            return type(self)(obj=self._undefined_obj, name=f"{self._undefined_name}.{name}")

        def __str__(self) -> str:
            # What a plain value has not, as the first row of an answer that has none, is nothing, and no macro.
            is_of_value = self._undefined_obj is None or isinstance(self._undefined_obj, (*PLAIN, Result))
            if is_of_value:
                return ""
            renderer.missing(f"Name {self._undefined_name}")
            return str(self._undefined_name)

    return Unknowable


class LazyMacro:
    """A macro of the project that is compiled when it is called first, and made anew for each rendering.

    Jinja gives a macro the names of its template as they are when it is made: whether anything is run, and the model.
    """

    def __init__(self, renderer: Renderer, source: MacroText, name: str) -> None:
        self.renderer = renderer
        self.source = source
        self.name = name
        self._template: Template | None = None
        self._made: tuple[int, Macro] | None = None

    def load(self) -> Macro:
        """Return the macro itself; raises CompilerError where its file is no Jinja."""
        if self._template is None:
            if line := conflict_in(self.source.text):
                raise CompilerError(f"{UNMERGED} in {self.source.path}, line {line}, where macro {self.name} stands")
            try:
                self._template = self.renderer.compile(macros_alone(self.source.text))
            except TemplateSyntaxError as error:
                raise CompilerError(
                    f"macro {self.name} is not well formed in {self.source.path}, line {error.lineno}: {error.message}"
                ) from None
        if self._made is None or self._made[0] != self.renderer.renderings:
            # A module of Jinja's would hide the macros whose names begin with `_`, and has names of its own.
            context = self._template.new_context()
            deque(self._template.root_render_func(context), maxlen=0)
            found = context.vars.get(self.name)
            if not isinstance(found, Macro):
                raise CompilerError(f"macro {self.name} is not at the top of {self.source.path}")
            self._made = (self.renderer.renderings, found)
        return self._made[1]


class _Environment(Sandbox):
    """The sandbox, in which a macro can return a value, as dbt's do."""

    def is_safe_callable(self, obj: Any) -> bool:
        """Return whether an object may be called: macros of the project, too."""
        return isinstance(obj, LazyMacro) or super().is_safe_callable(obj)

    def call(self, context: Any, called: Any, /, *args: Any, **kwargs: Any) -> Any:
        if isinstance(called, LazyMacro):
            called = called.load()
        if not isinstance(called, Macro):
            return super().call(context, called, *args, **kwargs)
        try:
            return super().call(context, called, *args, **kwargs)
        except ReturnedError as returned:
            return returned.value


def has_jinja(text: str) -> bool:
    """Return whether a text is a template at all."""
    return JINJA.search(text) is not None


def line_of_template(error: BaseException) -> int | None:
    """Return the line of the model's template at which an error was raised.

    Jinja writes lines of templates into tracebacks; the outermost template is the model's, macros come after it.
    """
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == "<template>":
            return trace.tb_lineno
        trace = trace.tb_next
    return None


def _line_with(lines: list[str], name: str) -> int | None:
    last = re.split(r"[. ]", name)[-1]
    return next((number for number, line in enumerate(lines, 1) if last in line), None)


def _first_line(error: BaseException) -> str:
    """Return the first line of a message, without the places of our own functions."""
    text = re.sub(r"[\w.]+<locals>\.", "", str(error)).replace("Variables.__call__()", "var()")
    return (text.strip().splitlines() or ["it gives no reason"])[0][:300].rstrip(".")
