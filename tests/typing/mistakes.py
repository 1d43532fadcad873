"""Mistakes that type checkers must report: each line marked with an error code is one; checked by mypy and pyright.

Comments that silence nothing are reported, so a mistake that is not noticed fails `make types`.
"""

from crm_sdk import AsyncCrmClient, CrmClient
from crm_sdk.models import LeadCreated
from crm_sdk.webhooks import MessageReceived, Webhooks


def wrong_inputs(client: CrmClient) -> None:
    client.leads.create({"email": "john@example.com"})  # type: ignore[typeddict-item] # the name is missing
    client.leads.create({"name": "John", "emial": "j@e.com"})  # type: ignore[typeddict-unknown-key] # misspelt
    client.leads.get(123)  # type: ignore[arg-type] # an id is a string
    client.leads.get("lead_1", "lead_2")  # type: ignore[call-arg] # too many
    client.leads.list("new")  # type: ignore[call-arg] # filters are keywords
    client.leads.list(stauts="new")  # type: ignore[call-arg] # misspelt
    client.leads.list(serach="ada")  # type: ignore[call-arg] # a misspelt argument that all lists have
    client.leads.list(limit="ten")  # type: ignore[arg-type] # a number of records
    client.leads.scoring_history("lead_1", search="ada")  # type: ignore[call-arg] # not every list is searched
    client.leads.nothing()  # type: ignore[attr-defined] # no such call

    client.nothing.list()  # type: ignore[attr-defined] # no such resource


async def forgotten_await(client: AsyncCrmClient) -> None:
    client.leads.get("lead_1")  # type: ignore[unused-coroutine] # nothing would be sent
    (await client.leads.list()).items[0].nothing  # type: ignore[attr-defined] # no such member


def wrong_listening(client: CrmClient) -> None:
    client.events.listen(over="pigeon")  # type: ignore[arg-type] # ws or sse
    client.events.listen(overflow="forget")  # type: ignore[arg-type] # no such policy
    client.events.listen(["lead.created"])  # type: ignore[call-arg] # everything is a keyword
    client.channels.join()  # type: ignore[call-arg] # which topic?
    with client.events.listen() as stream:
        for event in stream:
            event.data.name  # type: ignore[union-attr] # of which event?
            if isinstance(event, LeadCreated):
                event.data.old_stage  # type: ignore[attr-defined] # no such member


async def forgotten_async(client: AsyncCrmClient) -> None:
    with client.events.listen():  # type: ignore[attr-defined] # async with
        pass
    async with client.events.listen() as stream:
        for _ in stream:  # type: ignore[attr-defined] # async for
            pass
        stream.wait(1)  # type: ignore[unused-coroutine] # nothing would be waited for
        (await stream).id  # type: ignore[misc] # a stream is no call
    async with client.channels.join("user:user_1:deals") as channel:
        channel.push("presence:update", {})  # type: ignore[unused-coroutine] # nothing would be sent


def wrong_handlers(webhooks: Webhooks) -> None:
    def received(event: MessageReceived) -> None: ...

    webhooks.on("message.received")(received)
    webhooks.on("deal.won")(received)  # no document says what is in it
    webhooks.on("lead.created")(received)  # type: ignore[arg-type] # another event
