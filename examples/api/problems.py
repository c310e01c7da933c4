"""Problem details (RFC 9457): what a client reads of a request that was not done.

What belongs here: which error is which status. What does not: the errors.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from psycopg2 import OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionError
from starlette.exceptions import HTTPException

from examples.api.orders import AnotherError
from examples.api.schemas import BrokenRule, Problem
from olist_domain.kernel.rules import RulesBroken
from olist_domain.sales.repositories import OrderNotFoundError
from olist_pipeline.errors import OlistError

MEDIA_TYPE = "application/problem+json"
PROBLEMS: dict[int | str, dict[str, Any]] = {
    404: {"model": Problem, "description": "There is no such order"},
    409: {"model": Problem, "description": "The rules of the business refuse it"},
    422: {"model": Problem, "description": "The body does not fit its shape"},
    503: {"model": Problem, "description": "The database cannot be reached; try again"},
}
"""The problems that every address may answer with, for OpenAPI."""


def handle_problems(app: FastAPI) -> None:
    """Answer errors of `app` with problem details."""

    @app.exception_handler(RulesBroken)
    def refused(request: Request, error: RulesBroken) -> JSONResponse:
        broken = [BrokenRule.of(violation) for violation in error.violations]
        return _answer(request, 409, "The rules of the business refuse this.", violations=broken)

    @app.exception_handler(OrderNotFoundError)
    def missing(request: Request, error: OrderNotFoundError) -> JSONResponse:
        return _answer(request, 404, f"There is no order {error.order_id}.")

    @app.exception_handler(AnotherError)
    def another(request: Request, error: AnotherError) -> JSONResponse:
        return _answer(request, 409, f"{error}.")

    @app.exception_handler(RequestValidationError)
    def shapeless(request: Request, error: RequestValidationError) -> JSONResponse:
        errors = [{"at": list(one["loc"]), "problem": one["msg"]} for one in error.errors()]
        return _answer(request, 422, "The request does not fit its shape.", errors=errors)

    @app.exception_handler(HTTPException)
    def unknown(request: Request, error: HTTPException) -> JSONResponse:
        return _answer(request, error.status_code, f"{error.detail}.", headers=dict(error.headers or {}))

    @app.exception_handler(OperationalError)
    @app.exception_handler(NoConnectionError)
    @app.exception_handler(OlistError)
    def unreachable(request: Request, error: Exception) -> JSONResponse:
        return _answer(request, 503, "The database cannot be reached; try again.", headers={"Retry-After": "1"})


def describe_problems(app: FastAPI) -> None:
    """Give the problems their media type in the description: FastAPI knows JSON alone."""
    described = app.openapi

    def openapi() -> dict[str, Any]:
        description = described()
        for address in description["paths"].values():
            for operation in address.values():
                for status in map(str, PROBLEMS):
                    content = operation["responses"][status]["content"]
                    content[MEDIA_TYPE] = content.pop(next(iter(content)))
        return description

    app.openapi = openapi  # type: ignore[method-assign]


def _answer(
    request: Request, status: int, detail: str, headers: dict[str, str] | None = None, **more: Any
) -> JSONResponse:
    problem = Problem(title=HTTPStatus(status).phrase, status=status, detail=detail, instance=request.url.path, **more)
    body = jsonable_encoder(problem, exclude_none=True)
    return JSONResponse(body, status, headers=headers, media_type=MEDIA_TYPE)
