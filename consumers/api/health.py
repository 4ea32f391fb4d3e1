"""Routes for whoever watches over the process."""

import asyncio
from collections.abc import Awaitable
from typing import Annotated

from confluent_kafka import KafkaException
from fastapi import APIRouter, Request, Response
from psycopg import Error
from pydantic import BaseModel, Field

from consumers.api import database

router = APIRouter(prefix="/health", tags=["health"])


class Live(BaseModel):
    """The process answers."""

    status: str = "live"


class Ready(BaseModel):
    """Whether what the API rests on answers, or what it says instead."""

    kafka: Annotated[str, Field(examples=["ok"])]
    database: Annotated[str, Field(examples=["ok"])]


@router.get("/live")
async def live() -> Live:
    """Whether the process lives; it asks nobody else."""
    return Live()


@router.get("/ready", responses={503: {"model": Ready}})
async def ready(request: Request, response: Response) -> Ready:
    """Whether Kafka and the database answer; 503 when one of them does not."""
    state = request.app.state
    kafka, stored = await asyncio.gather(_told(state.broker.answers()), _told(database.answers(state.pool)))
    if (kafka, stored) != ("ok", "ok"):
        response.status_code = 503
    return Ready(kafka=kafka, database=stored)


async def _told(question: Awaitable[None]) -> str:
    try:
        await question
    except KafkaException as error:
        return str(error.args[0].str())
    except Error as error:
        return str(error).partition("\n")[0]
    return "ok"
