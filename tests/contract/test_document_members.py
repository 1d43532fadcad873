"""The members, words and parameters that the mvp and flow documents name, against models and declarations."""

from __future__ import annotations

import importlib
import inspect
from typing import Any, get_args

import pytest

from crm_sdk import CrmClient
from crm_sdk.catalogue import declared_operations
from crm_sdk.models.record import Model
from crm_sdk.operation import Operation
from crm_sdk.reading import choices_of
from crm_sdk.route import PAGING
from crm_sdk.wire import camel, shape_of

MEMBERS = """
users.User: id email name avatar? role preferences createdAt lastLogin
users.UserPreferences: theme notifications timezone
dashboard.RevenueForecast: revenue period confidence breakdown
dashboard.ForecastShare: source amount probability
dashboard.ActionItem: id icon title type timestamp actions
dashboard.ItemAction: label type
dashboard.DashboardSummary: deals contacts totalDealsValue atRiskContacts highProbabilityDeals
contacts.Contact: id name email phone company title avatar? relationshipHealth healthScore lastContact nextFollowUp?
 sentiment churnRisk totalDeals totalValue tags notes communicationHistory aiInsights
contacts.CommunicationEvent: id type date subject? summary sentiment aiAnalysis?
contacts.AIInsight: id type title description confidence actionable suggestedAction? date
contacts.ContactStats: total highValue atRisk needsFollowUp
deals.Deal: id title contactId contactName company value stage probability confidence expectedCloseDate createdDate
 lastActivity description tags activities aiInsights competitorMentioned? riskFactors positiveSignals priority
deals.DealActivity: id type date description outcome? nextStep?
deals.DealInsight: id type title description impact actionable suggestedAction? confidence date
deal_analytics.DealForecast: totalPipeline weightedForecast dealsClosingThisMonth monthlyForecast
deals.StageStats: stage count totalValue avgProbability avgDaysInStage
conversations.Conversation: id contactId contactName contactCompany lastMessage unreadCount messages overallSentiment
 sentimentTrend aiSummary tags priority archived
messages.Message: id conversationId senderId senderName senderType content timestamp type subject? sentiment confidence
 aiAnalysis? attachments? status
messages.MessageAnalysis: keyTopics emotionalTone urgencyLevel businessIntent suggestedResponse responseTime actionItems
messages.SmartCompose: suggestions toneAdjustments templateSuggestions
messages.ToneAdjustments: current alternatives
message_templates.MessageTemplate: id name category content variables
messages.Attachment: id name type size url
messages.MessageStats: total unread highPriority needsFollowUp averageResponseTime
messages.SentimentOverview: positive neutral negative
activities.CalendarEvent: id title description? startTime endTime type contactId? contactName? contactCompany? dealId?
 location? meetingLink? attendees status aiInsights preparation outcome? priority tags
calendar_meetings.Attendee: id name email role status
calendar_meetings.MeetingInsight: id type title description confidence actionable suggestedAction?
calendar_meetings.MeetingPreparation: suggestedTalkingPoints recentInteractions dealContext? competitorIntel?
 personalNotes documentsToShare
calendar_meetings.MeetingOutcome: summary nextSteps sentimentScore keyDecisions followUpRequired followUpDate?
 meetingRating
calendar.SmartScheduling: suggestedTimes conflictWarnings travelTimeEstimate? preparationTimeNeeded
calendar.ScheduleSuggestion: startTime endTime reason confidence
calendar.ConflictWarning: type message severity
calendar.CalendarStats: totalThisWeek meetingsThisWeek highPriorityThisWeek followUpsNeeded
notifications.Notification: id userId type title message priority read actionUrl? metadata? createdAt expiresAt?
notifications.UnreadCount: count
ai.SentimentResult: sentiment confidence emotionalTone
ai.DealProbability: probability confidence reasoning
ai.ChurnRisk: churnRisk riskFactors recommendations
ai.QueryAnswer: intent filters entities suggestedRoute
search.SearchResults: contacts deals messages events
""".replace("\n ", " ")

MVP_MEMBERS = """
leads.Lead: id name email phone company status source value notes createdAt updatedAt
contacts.Contact: id name email phone company position tags lastContactDate status notes createdAt
conversations.Conversation: id leadId leadName lastMessage unreadCount status
conversations.MessagePreview: content timestamp sender
messages.Message: id leadId content sender timestamp status
agents.Agent: id name type status capabilities performance config createdAt
agents.AgentPerformance: totalInteractions successRate avgResponseTime
agents.AgentExecution: output usage
agents.AgentOutput: response actions confidence
agents.AgentAction: type parameters
agents.AgentUsage: inputTokens outputTokens totalCost
analytics.DashboardStats: summary trends sourceBreakdown
analytics.AnalyticsSummary: totalLeads qualifiedLeads conversionRate totalRevenue avgDealSize
analytics.DashboardTrends: leadsThisMonth leadsGrowth revenueThisMonth revenueGrowth
analytics.AiPerformance: agents overall
analytics.AgentReport: agentId name metrics
analytics.AgentMetrics: totalInteractions successfulInteractions avgResponseTime costPerInteraction
 leadQualificationRate
analytics.AiTotals: totalCost totalSavings automationRate
integrations.Integration: id name type status category config lastSync
notifications.Notification: id type title message data status createdAt
achievements.AchievementList: achievements progress
achievements.Achievement: id title description category rarity unlockedAt progress
achievements.AchievementProgress: current target percentage
achievements.AchievementTotals: totalUnlocked totalAvailable points
users.User: id email name
""".replace("\n ", " ")

WORDS = """
leads.Lead.status: new contacted qualified converted
leads.Lead.source: website referral social advertising
messages.Message.sender: lead agent
integrations.Integration.status: connected
users.User.role: admin sales manager
users.UserPreferences.theme: light dark
dashboard.RevenueForecast.confidence: high medium low
dashboard.ActionItem.type: suggestion opportunity warning
dashboard.ItemAction.type: primary secondary dismiss
contacts.Contact.relationship_health: high medium low
contacts.Contact.sentiment: positive neutral negative
contacts.CommunicationEvent.type: email call meeting note
contacts.AIInsight.type: opportunity risk suggestion trend
deals.Deal.stage: prospect qualified proposal negotiation closed-won closed-lost
deals.Deal.priority: high medium low
deals.DealActivity.type: call email meeting proposal demo note
deals.DealInsight.type: opportunity risk suggestion competitor
deals.DealInsight.impact: high medium low
conversations.Conversation.sentiment_trend: improving stable declining
messages.Message.sender_type: user contact
messages.Message.type: email sms chat
messages.Message.status: sent delivered read replied
messages.MessageAnalysis.urgency_level: high medium low
messages.MessageAnalysis.business_intent: inquiry complaint support purchase follow-up
messages.ToneAdjustments.current: formal casual friendly urgent
message_templates.MessageTemplate.category: follow-up meeting proposal support introduction
activities.CalendarEvent.type: meeting call demo follow-up internal personal
activities.CalendarEvent.status: scheduled confirmed completed cancelled no-show
calendar_meetings.Attendee.status: accepted declined pending tentative
calendar_meetings.MeetingInsight.type: opportunity risk preparation follow-up
calendar.ConflictWarning.type: double-booking travel-time preparation back-to-back
notifications.Notification.type: deal_update message_received meeting_reminder ai_insight task_due at_risk_alert
"""

ARGUMENTS = """
contacts.list: search filter sort
deals.list: filter search
conversations.list: filter search
messages.templates: category
calendar.events.list: start end filter
notifications.list: read limit offset
search.query: q type
auth.login: email password
auth.refresh: refreshToken
contacts.communication.create: type date subject summary
deals.create: title contactId contactName company value stage expectedCloseDate description tags priority
deals.update: title contactId contactName company value stage expectedCloseDate description tags priority
deals.move_stage: stage
deals.activities.create: type date description outcome nextStep
conversations.messages.create: content type subject
conversations.set_priority: priority
conversations.archive: archived
conversations.tags.add: tag
messages.smart_compose: conversationId draftContent
calendar.events.set_status: status
calendar.events.outcome: summary nextSteps sentimentScore keyDecisions followUpRequired followUpDate meetingRating
calendar.smart_scheduling: contactId dealId duration preferredTimes
notifications.mark_read: read
ai.sentiment: text context
ai.deal_probability: stage activities riskFactors positiveSignals competitorMentioned
ai.churn_risk: contactId communicationHistory dealHistory engagementMetrics
ai.message_analysis: content conversationHistory
ai.smart_compose: conversationContext draftContent tone
ai.meeting_preparation: eventType contactId dealId communicationHistory
ai.query: query
ai.generate_insights: entityType entityId context
"""


MVP_ARGUMENTS = """
auth.login: email password
leads.list: status source limit offset
leads.create: name email phone company source value notes status
leads.update: name email phone company source value notes status
contacts.list: search tags sort order
contacts.create: name email phone company position tags notes status
conversations.list:
messages.create: leadId content sender
agents.create: name type capabilities config
agents.execute: input context
integrations.connect: credentials config
notifications.list: status type limit
"""


def table(text: str) -> list[Any]:
    lines = [line.partition(":") for line in text.strip().splitlines()]
    return [pytest.param(name, words.split(), id=name) for name, _, words in lines]


def model(name: str) -> type[Model]:
    module, _, kind = name.partition(".")
    found: type[Model] = getattr(importlib.import_module(f"crm_sdk.models.{module}"), kind)
    assert issubclass(found, Model)
    return found


@pytest.mark.parametrize(("name", "members"), table(MEMBERS))
def test_a_model_has_the_members_of_the_flow_document(name: str, members: list[str]) -> None:
    check_members(model(name), "flow", members)


@pytest.mark.parametrize(("name", "members"), table(MVP_MEMBERS))
def test_a_model_has_the_members_of_the_mvp_document(name: str, members: list[str]) -> None:
    check_members(model(name), "mvp", members)


def check_members(kind: type[Model], dialect: str, members: list[str]) -> None:
    shape = shape_of(kind, dialect)
    if shape is None:
        assert {camel(field) for field in kind.model_fields} == set(members)
        return
    assert {f"{wire}?" if field in shape.optional else wire for field, wire in shape.names.items()} == set(members)
    assert shape.names.keys() <= kind.model_fields.keys()


@pytest.mark.parametrize(("name", "words"), table(WORDS))
def test_a_member_knows_its_words_and_takes_others(name: str, words: list[str]) -> None:
    owner, _, member = name.rpartition(".")
    hint = inspect.get_annotations(model(owner), eval_str=True)[member]
    assert set(words) <= set(choices_of(hint))
    assert str in parts(hint)  # open: a newer server may know more


def parts(hint: Any) -> set[Any]:
    return {hint}.union(*(parts(arg) for arg in get_args(hint)))


@pytest.mark.parametrize(("name", "arguments"), table(ARGUMENTS))
def test_a_call_has_the_arguments_of_the_flow_document(name: str, arguments: list[str]) -> None:
    check_arguments(name, "flow", arguments)


@pytest.mark.parametrize(("name", "arguments"), table(MVP_ARGUMENTS))
def test_a_call_has_the_arguments_of_the_mvp_document(name: str, arguments: list[str]) -> None:
    check_arguments(name, "mvp", arguments)


def check_arguments(name: str, dialect: str, arguments: list[str]) -> None:
    operation: Operation[..., Any] = next(each for each in declared_operations() if each.id == name)
    route = operation.routes[dialect]
    body = operation.arguments.body
    taken = {route.wire_name(each) for each in operation.arguments.types if route.has(each) and each != body}
    shape = operation.arguments.shape(dialect) if body is not None else None
    if shape is not None:
        taken |= set(shape.names.values())
    # Whichever form of paging a document has, the others are translated.
    unlisted = {camel(each) for each in route.placeholders} | (PAGING - set(arguments))
    assert taken - unlisted == set(arguments)


def test_a_deal_may_be_with_somebody_who_is_no_contact(stub: Any) -> None:
    client: CrmClient = stub.client(dialects="flow")
    deal = client.deals.create({"title": "A", "contact_name": "Nora Vance", "company": "Vance"})
    assert (deal.contact_id, deal.contact_name, deal.company) == (None, "Nora Vance", "Vance")
    assert [one.id for one in client.deals.list(search="vance")] == [deal.id]
    contact = client.contacts.create({"name": "Rita Ray", "company": "Ray"})
    known = client.deals.update(deal.id, {"contact_id": contact.id, "contact_name": "Somebody"})
    assert (known.contact_name, known.company) == ("Rita Ray", "Ray")  # the contact's own
