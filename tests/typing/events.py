"""What type checkers see of streams and channels: checked by mypy and pyright, never run."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, assert_never, assert_type

from crm_sdk import AsyncCrmClient, CrmClient, Cursor
from crm_sdk.models import (
    AgentCompleted,
    AgentStatusUpdate,
    CreatedLead,
    DealCreatedPush,
    Event,
    IntegrationError,
    LeadCreated,
    LeadUpdated,
    MessageReceived,
    MetricsUpdate,
    UnknownEvent,
    UnknownPush,
)
from crm_sdk.models.deals import Deal
from crm_sdk.realtime.channel import AsyncChannel, Channel, ChannelEvent
from crm_sdk.realtime.cursors import LiveCursor
from crm_sdk.realtime.presence import Joined, Left, Present, Updated
from crm_sdk.realtime.stream import AsyncStream, Stream


def sync_streams(client: CrmClient) -> None:
    assert_type(client.events.listen(types=["lead.created"], since="e1:41", over="sse"), Stream[Event])
    with client.events.listen(overflow="coalesce", capacity=10) as stream:
        assert_type(stream, Stream[Event])
        assert_type(stream.wait(1.0), Event | None)
        assert_type(next(stream), Event)
        assert_type(stream.cursor, Cursor | None)
        for event in stream:
            assert_type(event, Event)
            told(event)


def told(event: Event) -> None:
    if isinstance(event, LeadCreated):
        assert_type(event.data, CreatedLead)
    match event:
        case LeadCreated(data=lead):
            assert_type(lead, CreatedLead)
        case LeadUpdated():
            assert_type(event.data.value, Decimal | None)
        case MessageReceived() | AgentStatusUpdate() | AgentCompleted() | IntegrationError():
            pass
        case MetricsUpdate(data=metric):
            assert_type(metric.value, int | float)
        case UnknownEvent():
            assert_type(event.type, str)
        case _:
            assert_never(event)


async def async_streams(client: AsyncCrmClient) -> None:
    assert_type(client.events.listen(), AsyncStream[Event])
    async with client.events.listen() as stream:
        assert_type(stream, AsyncStream[Event])
        assert_type(await stream.wait(1.0), Event | None)
        async for event in stream:
            assert_type(event, Event)


def sync_channels(client: CrmClient) -> None:
    with client.channels.join("user:user_1:deals", params={"meta": {}}) as channel:
        assert_type(channel, Channel)
        assert_type(channel.push("presence:update", {}), Mapping[str, Any] | bytes)
        assert_type(channel.presence["user_1"], Present)
        for push in channel:
            assert_type(push, ChannelEvent)
            if isinstance(push, DealCreatedPush):
                assert_type(push.deal, Deal)
            elif isinstance(push, (Joined, Left, Updated)):
                assert_type(push.present, Present)
            elif isinstance(push, LiveCursor):
                assert_type(push.user_id, str)
            elif isinstance(push, UnknownPush):
                assert_type(push.payload, dict[str, Any] | bytes)


async def async_channels(client: AsyncCrmClient) -> None:
    async with client.channels.join("user:user_1:deals") as channel:
        assert_type(channel, AsyncChannel)
        assert_type(await channel.push("presence:update", {}), Mapping[str, Any] | bytes)
        await channel.move_cursor(x=1)
        async for push in channel:
            assert_type(push, ChannelEvent)
