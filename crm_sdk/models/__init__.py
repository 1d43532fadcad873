"""The models of the CRM: the records that calls return, and the inputs they take.

A name is imported when it is first used, and pydantic with the first model: importing this package is fast.
"""

from __future__ import annotations

from importlib import import_module as _import

TYPE_CHECKING = False  # type checkers take it for true; importing `typing` for it costs milliseconds

# fmt: off
# isort: off
# Written by `make docs`: begin
if TYPE_CHECKING:
    from .accounts import (
        Account as Account, AccountCreate as AccountCreate, AccountHierarchy as AccountHierarchy,
        AccountMerge as AccountMerge, AccountNode as AccountNode, AccountSort as AccountSort,
        AccountStatus as AccountStatus, AccountType as AccountType, AccountUpdate as AccountUpdate, Depth as Depth,
        HierarchyRollup as HierarchyRollup, MergeIds as MergeIds, Territory as Territory,
        TerritoryAssignment as TerritoryAssignment, TerritoryField as TerritoryField, TerritoryRule as TerritoryRule,
    )
    from .achievements import (
        Achievement as Achievement, AchievementList as AchievementList, AchievementProgress as AchievementProgress,
        AchievementRarity as AchievementRarity, AchievementTotals as AchievementTotals,
    )
    from .activities import (
        Activity as Activity, ActivityKind as ActivityKind, ActivityRecord as ActivityRecord,
        ActivitySort as ActivitySort, ActivitySource as ActivitySource, CalendarEvent as CalendarEvent, Call as Call,
        CallOutcome as CallOutcome, CallStatus as CallStatus, Direction as Direction, Email as Email,
        EmailAddress as EmailAddress, EmailFolder as EmailFolder, EmailStatus as EmailStatus,
        EmailThread as EmailThread, EmailTracking as EmailTracking, EventStatus as EventStatus, EventType as EventType,
        Note as Note, OtherActivity as OtherActivity, Reminder as Reminder, ReminderChannel as ReminderChannel,
        Task as Task, TaskStatus as TaskStatus, TaskType as TaskType, TrackedLink as TrackedLink,
        Visibility as Visibility,
    )
    from .activity_calendar import (
        Availability as Availability, CalendarDay as CalendarDay, CalendarFeed as CalendarFeed,
        CalendarItem as CalendarItem, CalendarKind as CalendarKind, CalendarSpan as CalendarSpan,
        CalendarView as CalendarView, InvitationAnswer as InvitationAnswer, Minutes as Minutes,
        SeriesScope as SeriesScope, TimeBlock as TimeBlock, TimelineEntry as TimelineEntry,
        TimelineKind as TimelineKind, TimelineSort as TimelineSort, TimeSlot as TimeSlot, UserBusy as UserBusy,
    )
    from .activity_inputs import (
        ActivityCreate as ActivityCreate, ActivityMembers as ActivityMembers, ActivityTitle as ActivityTitle,
        ActivityUpdate as ActivityUpdate, CallCreate as CallCreate, CallMembers as CallMembers,
        CallUpdate as CallUpdate, EmailAddressInput as EmailAddressInput, EmailCreate as EmailCreate,
        EmailMembers as EmailMembers, EventMembers as EventMembers, GuestAddress as GuestAddress, LongText as LongText,
        NoteBody as NoteBody, NoteCreate as NoteCreate, NoteMembers as NoteMembers, RecurrenceRule as RecurrenceRule,
        ReminderInput as ReminderInput, TaskCreate as TaskCreate, TaskMembers as TaskMembers,
    )
    from .agents import (
        Agent as Agent, AgentAction as AgentAction, AgentCreate as AgentCreate, AgentExecution as AgentExecution,
        AgentOutput as AgentOutput, AgentPerformance as AgentPerformance, AgentRequest as AgentRequest,
        AgentStatus as AgentStatus, AgentType as AgentType, AgentUsage as AgentUsage,
    )
    from .ai import (
        ChurnRisk as ChurnRisk, DealProbability as DealProbability, QueryAnswer as QueryAnswer,
        QueryIntent as QueryIntent, SentimentResult as SentimentResult,
    )
    from .ai_insights import (
        FeatureWeight as FeatureWeight, Holdout as Holdout, LeadScoringConfig as LeadScoringConfig,
        LeadScoringConfigUpdate as LeadScoringConfigUpdate, LeadScoringModel as LeadScoringModel,
        ModelMetrics as ModelMetrics, ModelStatus as ModelStatus, Portion as Portion, SampleCount as SampleCount,
        ScoringRule as ScoringRule, ScoringRuleInput as ScoringRuleInput,
    )
    from .ai_predictions import (
        ChurnPrediction as ChurnPrediction, ChurnPredictions as ChurnPredictions, ConfidenceLevel as ConfidenceLevel,
        DealPrediction as DealPrediction, DealPredictions as DealPredictions, HorizonDays as HorizonDays,
        OtherPrediction as OtherPrediction, Prediction as Prediction, PredictionRecord as PredictionRecord,
        RevenueHorizon as RevenueHorizon, RevenuePoint as RevenuePoint, RevenuePrediction as RevenuePrediction,
    )
    from .ai_recommendations import (
        FeedbackReason as FeedbackReason, Recommendation as Recommendation,
        RecommendationAction as RecommendationAction, RecommendationFeedback as RecommendationFeedback,
        RecommendationKind as RecommendationKind, RecommendationRating as RecommendationRating,
        RecommendationSort as RecommendationSort, RecommendationStatus as RecommendationStatus,
    )
    from .analytics import (
        AgentMetrics as AgentMetrics, AgentReport as AgentReport, AiPerformance as AiPerformance, AiTotals as AiTotals,
        AnalyticsSummary as AnalyticsSummary, DashboardStats as DashboardStats, DashboardTrends as DashboardTrends,
    )
    from .analytics_metrics import (
        ActivityMetrics as ActivityMetrics, ChangeType as ChangeType, CompareTo as CompareTo,
        EventSummary as EventSummary, LeadMetrics as LeadMetrics, MetricUnit as MetricUnit, MetricValue as MetricValue,
        OwnerActivity as OwnerActivity, PerformanceMetrics as PerformanceMetrics, PerformanceSort as PerformanceSort,
        RealTimeMetrics as RealTimeMetrics, SalesMetrics as SalesMetrics, TeamPerformance as TeamPerformance,
    )
    from .any_jobs import (
        AnyJob as AnyJob, JobKind as JobKind, JobResult as JobResult, JobSort as JobSort, JobStatus as JobStatus,
    )
    from .any_records import AnyRecord as AnyRecord
    from .audit import (
        AuditActor as AuditActor, AuditActorType as AuditActorType, AuditCategory as AuditCategory,
        AuditChange as AuditChange, AuditDialect as AuditDialect, AuditLog as AuditLog,
        AuditLogCreate as AuditLogCreate, AuditSeverity as AuditSeverity, AuditSort as AuditSort,
        AuditSource as AuditSource, ChangeReport as ChangeReport, ChangeRow as ChangeRow, DataLineage as DataLineage,
        LineageDepth as LineageDepth, LineageDirection as LineageDirection, LineageEdge as LineageEdge,
        LineageNode as LineageNode, LineageOrigin as LineageOrigin, LineageRelation as LineageRelation,
        PurgeResult as PurgeResult, RetentionAction as RetentionAction, RetentionBasis as RetentionBasis,
        RetentionDays as RetentionDays, RetentionPolicy as RetentionPolicy,
        RetentionPolicyInput as RetentionPolicyInput,
    )
    from .audit_reports import (
        AuditExportFormat as AuditExportFormat, AuditReportName as AuditReportName,
        ComplianceControl as ComplianceControl, ComplianceFramework as ComplianceFramework,
        ComplianceReport as ComplianceReport, ComplianceStatus as ComplianceStatus, ControlStatus as ControlStatus,
        DataAccessReport as DataAccessReport, DataAccessRow as DataAccessRow,
    )
    from .auth import (
        Authorization as Authorization, Credential as Credential, LoginResult as LoginResult,
        Registration as Registration, ShownCredential as ShownCredential, SignInEmail as SignInEmail,
        TokenSet as TokenSet, UserInfo as UserInfo,
    )
    from .backups import (
        Backup as Backup, BackupEntities as BackupEntities, BackupEntity as BackupEntity,
        BackupInclude as BackupInclude, BackupIncludes as BackupIncludes, BackupName as BackupName,
        BackupSort as BackupSort, BackupStatus as BackupStatus, BackupTrigger as BackupTrigger,
        RestoreDifference as RestoreDifference, RestoreMode as RestoreMode, RestoreResult as RestoreResult,
    )
    from .calendar import (
        CalendarEventCreate as CalendarEventCreate, CalendarEventUpdate as CalendarEventUpdate,
        CalendarStats as CalendarStats, ConflictType as ConflictType, ConflictWarning as ConflictWarning,
        EventFilter as EventFilter, PreferredTime as PreferredTime, ScheduleSuggestion as ScheduleSuggestion,
        SmartScheduling as SmartScheduling,
    )
    from .calendar_meetings import (
        Attendee as Attendee, AttendeeInput as AttendeeInput, AttendeeRole as AttendeeRole,
        AttendeeStatus as AttendeeStatus, MeetingInsight as MeetingInsight, MeetingOutcome as MeetingOutcome,
        MeetingOutcomeInput as MeetingOutcomeInput, MeetingPreparation as MeetingPreparation,
    )
    from .changes import (
        Change as Change, ChangeInclude as ChangeInclude, ChangeKind as ChangeKind, ChangeLimit as ChangeLimit,
        ChangePage as ChangePage, ChangeStart as ChangeStart,
    )
    from .channels import (
        ChannelPush as ChannelPush, ContactHealthChangedPush as ContactHealthChangedPush,
        ContactUpdatedPush as ContactUpdatedPush, ConversationUnreadCountPush as ConversationUnreadCountPush,
        ConversationUpdatedPush as ConversationUpdatedPush, DealActivityAddedPush as DealActivityAddedPush,
        DealCreatedPush as DealCreatedPush, DealStageChangedPush as DealStageChangedPush,
        DealUpdatedPush as DealUpdatedPush, EventCreatedPush as EventCreatedPush,
        EventReminderPush as EventReminderPush, EventUpdatedPush as EventUpdatedPush, KnownPush as KnownPush,
        MessageReceivedPush as MessageReceivedPush, NotificationDeletedPush as NotificationDeletedPush,
        NotificationNewPush as NotificationNewPush, NotificationReadPush as NotificationReadPush, Push as Push,
        UnknownPush as UnknownPush,
    )
    from .chatops import (
        ChatChannel as ChatChannel, ChatCommand as ChatCommand, ChatContext as ChatContext, ChatFigure as ChatFigure,
        ChatFilter as ChatFilter, ChatFilterGroup as ChatFilterGroup, ChatIntent as ChatIntent,
        ChatIntentName as ChatIntentName, ChatMessage as ChatMessage, ChatOperation as ChatOperation,
        ChatPlan as ChatPlan, ChatPlanStatus as ChatPlanStatus, ChatRole as ChatRole, ChatText as ChatText,
    )
    from .collaboration import (
        CollaborationNotificationType as CollaborationNotificationType, Comment as Comment,
        CommentCreate as CommentCreate, CommentSort as CommentSort, CommentUpdate as CommentUpdate,
        FeedFilter as FeedFilter, FeedItem as FeedItem, FeedSort as FeedSort, FeedVerb as FeedVerb,
        MentionedIds as MentionedIds, MentionMessage as MentionMessage, NotificationSort as NotificationSort,
        ShareCreate as ShareCreate, ShareScope as ShareScope, ShareSort as ShareSort, ShareUpdate as ShareUpdate,
        UserMention as UserMention,
    )
    from .communication import (
        CallSort as CallSort, EmailInclude as EmailInclude, EmailSend as EmailSend, EmailSort as EmailSort,
        Grouping as Grouping, MailFolder as MailFolder, MeetingJoin as MeetingJoin, Recipient as Recipient,
        ToDial as ToDial,
    )
    from .configuration import (
        Environment as Environment, FeatureFlag as FeatureFlag, FeatureFlagCreate as FeatureFlagCreate,
        FeatureFlagUpdate as FeatureFlagUpdate, FlagAttributes as FlagAttributes, FlagEvaluation as FlagEvaluation,
        FlagReason as FlagReason, FlagRule as FlagRule, FlagRuleInput as FlagRuleInput, FlagSort as FlagSort,
        FlagType as FlagType, Setting as Setting, SettingScope as SettingScope, SettingSource as SettingSource,
        SettingType as SettingType, SettingValues as SettingValues, TerritoryCreate as TerritoryCreate,
        TerritoryRuleInput as TerritoryRuleInput, TerritorySort as TerritorySort, TerritoryUpdate as TerritoryUpdate,
    )
    from .contact_duplicates import (
        ContactMerge as ContactMerge, DeduplicateMode as DeduplicateMode, DeduplicateResult as DeduplicateResult,
        DuplicateField as DuplicateField, DuplicateGroup as DuplicateGroup, DuplicateMatch as DuplicateMatch,
        DuplicateReason as DuplicateReason, MergeGroup as MergeGroup, MergeGroupInput as MergeGroupInput,
        SurvivorRule as SurvivorRule,
    )
    from .contact_imports import (
        ColumnMapping as ColumnMapping, ColumnTransform as ColumnTransform, ContactFileFormat as ContactFileFormat,
        ContactValidation as ContactValidation, ImportDuplicates as ImportDuplicates, ImportMatch as ImportMatch,
        ImportMode as ImportMode, ImportResult as ImportResult,
    )
    from .contacts import (
        AIInsight as AIInsight, CommunicationCreate as CommunicationCreate, CommunicationEvent as CommunicationEvent,
        CommunicationType as CommunicationType, Contact as Contact, ContactCreate as ContactCreate,
        ContactDraft as ContactDraft, ContactFilter as ContactFilter, ContactInclude as ContactInclude,
        ContactRelationship as ContactRelationship, ContactRelationshipCreate as ContactRelationshipCreate,
        ContactRelationshipUpdate as ContactRelationshipUpdate, ContactSort as ContactSort,
        ContactStats as ContactStats, ContactStatus as ContactStatus, ContactUpdate as ContactUpdate,
        ContactUpsert as ContactUpsert, LifecycleStage as LifecycleStage, RelationshipSort as RelationshipSort,
        RelationshipType as RelationshipType,
    )
    from .continued import Continued as Continued
    from .conversations import (
        Conversation as Conversation, ConversationFilter as ConversationFilter,
        ConversationStatus as ConversationStatus, MessagePreview as MessagePreview,
    )
    from .custom_fields import (
        CustomField as CustomField, CustomFieldCreate as CustomFieldCreate, CustomFieldUpdate as CustomFieldUpdate,
        FieldDraft as FieldDraft, FieldLabels as FieldLabels, FieldOption as FieldOption,
        FieldOptionInput as FieldOptionInput, FieldOverride as FieldOverride, FieldSort as FieldSort,
        FieldType as FieldType, FieldValidation as FieldValidation, OnDelete as OnDelete,
    )
    from .custom_objects import (
        Cardinality as Cardinality, CustomObject as CustomObject, CustomObjectCreate as CustomObjectCreate,
        CustomObjectSort as CustomObjectSort, CustomObjectUpdate as CustomObjectUpdate,
        ObjectRelationship as ObjectRelationship, ObjectRelationshipCreate as ObjectRelationshipCreate,
        ObjectRelationshipSort as ObjectRelationshipSort, ObjectRelationshipUpdate as ObjectRelationshipUpdate,
    )
    from .custom_records import (
        CustomRecord as CustomRecord, CustomRecordCreate as CustomRecordCreate,
        CustomRecordInclude as CustomRecordInclude, CustomRecordSort as CustomRecordSort,
        CustomRecordUpdate as CustomRecordUpdate,
    )
    from .customization import (
        Layout as Layout, LayoutAudience as LayoutAudience, LayoutColumn as LayoutColumn,
        LayoutColumnInput as LayoutColumnInput, LayoutCreate as LayoutCreate, LayoutField as LayoutField,
        LayoutFieldInput as LayoutFieldInput, LayoutKind as LayoutKind, LayoutSection as LayoutSection,
        LayoutSectionInput as LayoutSectionInput, LayoutSort as LayoutSort, LayoutUpdate as LayoutUpdate,
    )
    from .dashboard import (
        ActionItem as ActionItem, ActionItemType as ActionItemType, DashboardSummary as DashboardSummary,
        ForecastShare as ForecastShare, ItemAction as ItemAction, RevenueForecast as RevenueForecast,
    )
    from .dashboard_data import (
        DashboardData as DashboardData, DashboardEvent as DashboardEvent, DashboardEventName as DashboardEventName,
        WidgetData as WidgetData,
    )
    from .dashboards import (
        Columns as Columns, Dashboard as Dashboard, DashboardCreate as DashboardCreate,
        DashboardFilters as DashboardFilters, DashboardFiltersInput as DashboardFiltersInput,
        DashboardSort as DashboardSort, DashboardUpdate as DashboardUpdate, RefreshSeconds as RefreshSeconds,
        ReportQuery as ReportQuery, ReportQueryInput as ReportQueryInput, Widget as Widget,
        WidgetCreate as WidgetCreate, WidgetInput as WidgetInput, WidgetPosition as WidgetPosition,
        WidgetPositionInput as WidgetPositionInput, WidgetPositionUpdate as WidgetPositionUpdate,
        WidgetSource as WidgetSource, WidgetSourceInput as WidgetSourceInput, WidgetTitle as WidgetTitle,
        WidgetType as WidgetType, WidgetUpdate as WidgetUpdate,
    )
    from .deal_analytics import (
        BoardStage as BoardStage, BoardStatus as BoardStatus, CardLimit as CardLimit,
        CompetitorResult as CompetitorResult, ConversionAnalytics as ConversionAnalytics, DealForecast as DealForecast,
        ForecastAccuracy as ForecastAccuracy, ForecastAnalytics as ForecastAnalytics,
        ForecastCategories as ForecastCategories, ForecastPeriod as ForecastPeriod, LossReason as LossReason,
        MetricPoint as MetricPoint, OwnerPerformance as OwnerPerformance, PerformanceAnalytics as PerformanceAnalytics,
        PipelineBoard as PipelineBoard, Series as Series, SlippedDeal as SlippedDeal,
        StageChangeSort as StageChangeSort, StageConversion as StageConversion, StageDirection as StageDirection,
        StageDuration as StageDuration, StageHistoryEntry as StageHistoryEntry, VelocityAnalytics as VelocityAnalytics,
        WinLossAnalytics as WinLossAnalytics, WinLossGroup as WinLossGroup, WinLossGrouping as WinLossGrouping,
    )
    from .deals import (
        Deal as Deal, DealActivity as DealActivity, DealActivityCreate as DealActivityCreate,
        DealActivityType as DealActivityType, DealBulkUpdate as DealBulkUpdate, DealContact as DealContact,
        DealContactInput as DealContactInput, DealCreate as DealCreate, DealFilter as DealFilter,
        DealInclude as DealInclude, DealInsight as DealInsight, DealPart as DealPart, DealRole as DealRole,
        DealSort as DealSort, DealStage as DealStage, DealStatus as DealStatus, DealType as DealType,
        DealUpdate as DealUpdate, ForecastCategory as ForecastCategory, LostReason as LostReason,
        StageStats as StageStats,
    )
    from .drafts import Draft as Draft
    from .enrichment import (
        EnrichedField as EnrichedField, EnrichedRecord as EnrichedRecord, EnrichmentResult as EnrichmentResult,
        EnrichmentSource as EnrichmentSource, EnrichmentStatus as EnrichmentStatus,
    )
    from .events import (
        AgentCompleted as AgentCompleted, AgentResult as AgentResult, AgentState as AgentState,
        AgentStatusUpdate as AgentStatusUpdate, CreatedLead as CreatedLead, Event as Event,
        IntegrationError as IntegrationError, IntegrationFault as IntegrationFault, LeadCreated as LeadCreated,
        LeadUpdated as LeadUpdated, MessageReceived as MessageReceived, MetricChange as MetricChange,
        MetricsUpdate as MetricsUpdate, ReceivedMessage as ReceivedMessage, UnknownEvent as UnknownEvent,
        UpdatedLead as UpdatedLead,
    )
    from .exports import (
        ExportFormat as ExportFormat, ExportMode as ExportMode, ExportRequest as ExportRequest,
        ExportRequestInput as ExportRequestInput, ExportRequestUpdate as ExportRequestUpdate,
        ExportSchedule as ExportSchedule, ExportScheduleCreate as ExportScheduleCreate,
        ExportScheduleSort as ExportScheduleSort, ExportScheduleUpdate as ExportScheduleUpdate,
    )
    from .files import (
        ByteRange as ByteRange, File as File, FileLabel as FileLabel, FileMetadata as FileMetadata,
        FileMetadataUpdate as FileMetadataUpdate, FileName as FileName, FileOperation as FileOperation,
        FilePermission as FilePermission, FilePermissionInput as FilePermissionInput,
        FilePermissions as FilePermissions, FilePreview as FilePreview, FileScan as FileScan, FileSort as FileSort,
        FileTechnical as FileTechnical, FileText as FileText, FileVersion as FileVersion,
        FileVersionSort as FileVersionSort, FolderPath as FolderPath, MadeFormat as MadeFormat,
        NameConflict as NameConflict, PermissionSubject as PermissionSubject, PictureFit as PictureFit,
        PreviewKind as PreviewKind, ProcessOptions as ProcessOptions, Revision as Revision, SaveAs as SaveAs,
        ScanStatus as ScanStatus, ShareAddress as ShareAddress, SharedFile as SharedFile,
        SharedFileSort as SharedFileSort, ShareDirection as ShareDirection, SharePassword as SharePassword,
        ThumbnailFormat as ThumbnailFormat, ThumbnailSize as ThumbnailSize,
    )
    from .imports import (
        BatchSize as BatchSize, ImportColumn as ImportColumn, ImportFormat as ImportFormat, ImportLink as ImportLink,
        ImportPreview as ImportPreview, ImportRow as ImportRow, OnDuplicate as OnDuplicate,
        RecordImportMode as RecordImportMode, RevertResult as RevertResult, SampleSize as SampleSize,
        StopAfter as StopAfter, Word as Word,
    )
    from .integration_mappings import (
        FieldMapping as FieldMapping, FieldMappingCreate as FieldMappingCreate,
        FieldMappingUpdate as FieldMappingUpdate, MappedEntity as MappedEntity, MappingDraft as MappingDraft,
        MappingIssue as MappingIssue, MappingSample as MappingSample, MappingSort as MappingSort,
        MappingValidation as MappingValidation, Transform as Transform,
    )
    from .integrations import (
        AuthType as AuthType, CheckResult as CheckResult, ConflictResolution as ConflictResolution,
        ConnectionTest as ConnectionTest, Integration as Integration, IntegrationCreate as IntegrationCreate,
        IntegrationCredentials as IntegrationCredentials, IntegrationSort as IntegrationSort,
        IntegrationStatus as IntegrationStatus, IntegrationType as IntegrationType,
        IntegrationUpdate as IntegrationUpdate, Provider as Provider, SyncFrequency as SyncFrequency,
        SyncStatus as SyncStatus,
    )
    from .jobs import AsyncJob as AsyncJob, Job as Job, JobState as JobState, RunStatus as RunStatus
    from .lead_captures import (
        CaptureChannel as CaptureChannel, CaptureMatch as CaptureMatch, EmailCapture as EmailCapture,
        LeadCapture as LeadCapture, SocialCapture as SocialCapture, WebFormSubmission as WebFormSubmission,
    )
    from .lead_conversions import LeadConversion as LeadConversion, LeadConversionInput as LeadConversionInput
    from .leads import (
        AssignmentStrategy as AssignmentStrategy, Lead as Lead, LeadAssignment as LeadAssignment,
        LeadCreate as LeadCreate, LeadScore as LeadScore, LeadScoreSort as LeadScoreSort,
        LeadScoreSource as LeadScoreSource, LeadSort as LeadSort, LeadSourceReport as LeadSourceReport,
        LeadSourceStats as LeadSourceStats, LeadStatus as LeadStatus, LeadUpdate as LeadUpdate,
        Qualification as Qualification, UtmParams as UtmParams, UtmParamsInput as UtmParamsInput,
    )
    from .marketplace import (
        App as App, AppCategory as AppCategory, AppCreate as AppCreate, AppDeveloper as AppDeveloper,
        AppPricing as AppPricing, AppPricingInput as AppPricingInput, AppPricingUpdate as AppPricingUpdate,
        AppSecret as AppSecret, AppSort as AppSort, AppStatus as AppStatus, AppUpdate as AppUpdate,
        AppVersion as AppVersion, AppVersionCreate as AppVersionCreate, CategoryKey as CategoryKey,
        ConfigField as ConfigField, ConfigFieldInput as ConfigFieldInput, ConfigFieldType as ConfigFieldType,
        EventText as EventText, PermissionText as PermissionText, PricingInterval as PricingInterval,
        PricingModel as PricingModel, Semver as Semver, Slug as Slug, VersionStatus as VersionStatus,
    )
    from .marketplace_installations import (
        AppAnalytics as AppAnalytics, ConfigValues as ConfigValues, Installation as Installation,
        InstallationHealth as InstallationHealth, InstallationSort as InstallationSort,
        InstallationState as InstallationState, InstallationStatus as InstallationStatus,
    )
    from .marks import Personal as Personal, TextFirst as TextFirst
    from .message_templates import (
        Content as Content, MessageCategory as MessageCategory, MessageTemplate as MessageTemplate,
        MessageTemplateCreate as MessageTemplateCreate, MessageTemplateUpdate as MessageTemplateUpdate,
        SubjectLine as SubjectLine, TemplateSort as TemplateSort, TemplateTranslation as TemplateTranslation,
        TemplateTranslationInput as TemplateTranslationInput,
    )
    from .messages import (
        Attachment as Attachment, BusinessIntent as BusinessIntent,
        ConversationMessageCreate as ConversationMessageCreate, Message as Message, MessageAnalysis as MessageAnalysis,
        MessageCreate as MessageCreate, MessageSender as MessageSender, MessageStats as MessageStats,
        MessageStatus as MessageStatus, MessageType as MessageType, SenderType as SenderType,
        SentimentOverview as SentimentOverview, SmartCompose as SmartCompose, TemplateCategory as TemplateCategory,
        Tone as Tone, ToneAdjustments as ToneAdjustments, TonePreview as TonePreview,
    )
    from .mfa import (
        BackupCode as BackupCode, BackupCodes as BackupCodes, MfaMethod as MfaMethod, MfaSetup as MfaSetup,
        MfaVerification as MfaVerification,
    )
    from .monitoring import (
        ComponentType as ComponentType, Health as Health, HealthCheck as HealthCheck, HealthStatus as HealthStatus,
        Impact as Impact, Incident as Incident, Indicator as Indicator, MetricKind as MetricKind, Metrics as Metrics,
        MetricSample as MetricSample, Probe as Probe, RecoveryStatus as RecoveryStatus, ServiceState as ServiceState,
        ServiceStatus as ServiceStatus, SystemStatus as SystemStatus,
    )
    from .notification_delivery import (
        BulkRecipient as BulkRecipient, ChannelStats as ChannelStats, DeliveryAttempt as DeliveryAttempt,
        DeliveryStatus as DeliveryStatus, Destination as Destination, MailAddress as MailAddress,
        NotificationAnalytics as NotificationAnalytics, Sending as Sending, Variables as Variables,
    )
    from .notification_preferences import (
        ChannelPreferences as ChannelPreferences, ChannelPreferencesInput as ChannelPreferencesInput, Digest as Digest,
        NotificationPreferences as NotificationPreferences,
        NotificationPreferencesUpdate as NotificationPreferencesUpdate, QuietHours as QuietHours,
        QuietHoursInput as QuietHoursInput, Subscription as Subscription, SubscriptionSort as SubscriptionSort,
        SubscriptionSource as SubscriptionSource, TypePreference as TypePreference,
        TypePreferenceInput as TypePreferenceInput,
    )
    from .notifications import (
        DeliveryState as DeliveryState, HistorySort as HistorySort, Notification as Notification,
        NotificationStatus as NotificationStatus, NotificationType as NotificationType, UnreadCount as UnreadCount,
    )
    from .objects import (
        Capability as Capability, DeletedRecord as DeletedRecord, DeletedSort as DeletedSort,
        FieldDescription as FieldDescription, FieldKind as FieldKind, ObjectDescription as ObjectDescription,
        ObjectKey as ObjectKey, ObjectSummary as ObjectSummary, OnMatch as OnMatch, RecordAction as RecordAction,
        RecordOperation as RecordOperation, RecordRef as RecordRef, RecordScan as RecordScan,
        RecordValues as RecordValues, RelationshipDescription as RelationshipDescription, ScanLimit as ScanLimit,
        Tombstone as Tombstone, TransactionResult as TransactionResult, UpsertMode as UpsertMode,
        UpsertResult as UpsertResult,
    )
    from .patterns import TimeOfDay as TimeOfDay
    from .pipelines import (
        ActionPreview as ActionPreview, AutomationEvent as AutomationEvent, AutomationRule as AutomationRule,
        AutomationRuleCreate as AutomationRuleCreate, AutomationRuleUpdate as AutomationRuleUpdate,
        AutomationSort as AutomationSort, AutomationTest as AutomationTest, AutomationTrigger as AutomationTrigger,
        AutomationTriggerInput as AutomationTriggerInput, AutomationTriggerUpdate as AutomationTriggerUpdate,
        ConditionResult as ConditionResult, Pipeline as Pipeline, PipelineCreate as PipelineCreate,
        PipelineEntity as PipelineEntity, PipelineSort as PipelineSort, PipelineUpdate as PipelineUpdate,
        Stage as Stage, StageCreate as StageCreate, StageKind as StageKind, StageUpdate as StageUpdate,
    )
    from .presence import PresenceSort as PresenceSort, PresenceStatus as PresenceStatus, UserPresence as UserPresence
    from .privacy import (
        Confirmation as Confirmation, ErasureReason as ErasureReason, PrivacyCount as PrivacyCount,
        PrivacyFormat as PrivacyFormat, PrivacyReport as PrivacyReport, PrivacySubject as PrivacySubject,
        Subject as Subject,
    )
    from .record import Mismatch as Mismatch, Model as Model, Record as Record
    from .report_runs import (
        ExportResult as ExportResult, ReportData as ReportData, ReportDataColumn as ReportDataColumn,
        ReportGroupRow as ReportGroupRow, ReportRun as ReportRun, ReportSchedule as ReportSchedule,
        ReportScheduleCreate as ReportScheduleCreate,
    )
    from .reports import (
        ChartSpec as ChartSpec, ChartSpecInput as ChartSpecInput, ChartSpecUpdate as ChartSpecUpdate,
        ChartType as ChartType, ColumnFormat as ColumnFormat, CsvDelimiter as CsvDelimiter, CsvEncoding as CsvEncoding,
        DatePreset as DatePreset, DateRange as DateRange, DateRangeInput as DateRangeInput, FieldPath as FieldPath,
        Label as Label, MeasureFunction as MeasureFunction, Orientation as Orientation, Paper as Paper,
        ParameterType as ParameterType, Report as Report, ReportColumn as ReportColumn,
        ReportColumnInput as ReportColumnInput, ReportCreate as ReportCreate, ReportFormat as ReportFormat,
        ReportGroup as ReportGroup, ReportGroupInput as ReportGroupInput, ReportListSort as ReportListSort,
        ReportMeasure as ReportMeasure, ReportMeasureInput as ReportMeasureInput, ReportName as ReportName,
        ReportParameter as ReportParameter, ReportParameterInput as ReportParameterInput, ReportSort as ReportSort,
        ReportSortInput as ReportSortInput, ReportUpdate as ReportUpdate, RowLimit as RowLimit,
        RunTrigger as RunTrigger, ScheduleFormat as ScheduleFormat, ScheduleSort as ScheduleSort,
        SharedWith as SharedWith,
    )
    from .runs import Run as Run
    from .schedules import (
        Schedule as Schedule, ScheduleFrequency as ScheduleFrequency, ScheduleInput as ScheduleInput,
        ScheduleUpdate as ScheduleUpdate,
    )
    from .search import (
        AutocompleteItem as AutocompleteItem, ByScore as ByScore, EntityIndexStatus as EntityIndexStatus,
        Facet as Facet, FacetBucket as FacetBucket, FacetRange as FacetRange, FacetRequest as FacetRequest,
        FoundRecord as FoundRecord, Highlight as Highlight, HitSort as HitSort, IndexStatus as IndexStatus,
        SearchConfig as SearchConfig, SearchConfigUpdate as SearchConfigUpdate,
        SearchEntityConfig as SearchEntityConfig, SearchEntityInput as SearchEntityInput,
        SearchFieldConfig as SearchFieldConfig, SearchFieldInput as SearchFieldInput, SearchHit as SearchHit,
        SearchResults as SearchResults, SearchSuggestion as SearchSuggestion, SearchText as SearchText,
        SearchType as SearchType, SearchWeight as SearchWeight, SuggestedFilter as SuggestedFilter,
    )
    from .security import (
        AccessCheck as AccessCheck, AccessDecision as AccessDecision, AccessGrant as AccessGrant,
        AccessReason as AccessReason, AnyWord as AnyWord, ApiKey as ApiKey, ApiKeyCreate as ApiKeyCreate,
        ApiKeySort as ApiKeySort, ApiKeyStatus as ApiKeyStatus, EntityInput as EntityInput,
        FieldPermissionInput as FieldPermissionInput, GrantKind as GrantKind, KeyPermission as KeyPermission,
        PermissionInfo as PermissionInfo, PermissionInput as PermissionInput, PolicyImpact as PolicyImpact,
        RoleCreate as RoleCreate, RoleKey as RoleKey, RoleSort as RoleSort, RoleUpdate as RoleUpdate,
        SecurityPolicy as SecurityPolicy, SecurityPolicyInput as SecurityPolicyInput,
        SecurityPolicyResult as SecurityPolicyResult,
    )
    from .sessions import (
        AuthMethod as AuthMethod, Session as Session, SessionSort as SessionSort,
        SessionValidation as SessionValidation,
    )
    from .shares import Access as Access, Share as Share, ShareSubject as ShareSubject
    from .social import (
        AccountId as AccountId, Network as Network, PostMetrics as PostMetrics, PostTarget as PostTarget,
        PostTargetStatus as PostTargetStatus, PostText as PostText, SocialAccount as SocialAccount,
        SocialAccountSort as SocialAccountSort, SocialAccountStatus as SocialAccountStatus, SocialPost as SocialPost,
        SocialPostCreate as SocialPostCreate, SocialPostStatus as SocialPostStatus,
    )
    from .social_engagement import (
        Engagement as Engagement, EngagementCreate as EngagementCreate, EngagementDirection as EngagementDirection,
        EngagementKind as EngagementKind, EngagementMetrics as EngagementMetrics, EngagementSort as EngagementSort,
        EngagementStatus as EngagementStatus, NetworkMetrics as NetworkMetrics, ResponseKind as ResponseKind,
        ResponseText as ResponseText, SocialAuthorInput as SocialAuthorInput,
    )
    from .social_listening import (
        AlertCondition as AlertCondition, KeywordMatch as KeywordMatch, KeywordText as KeywordText,
        MentionSort as MentionSort, MentionStatus as MentionStatus, MonitoringKeyword as MonitoringKeyword,
        MonitoringKeywordCreate as MonitoringKeywordCreate, SentimentGroup as SentimentGroup,
        SentimentGrouping as SentimentGrouping, SentimentReport as SentimentReport, SocialAlert as SocialAlert,
        SocialAlertCreate as SocialAlertCreate, SocialAuthor as SocialAuthor, SocialMention as SocialMention,
    )
    from .sync_runs import (
        SyncConflict as SyncConflict, SyncDirection as SyncDirection, SyncMode as SyncMode, SyncRun as SyncRun,
        SyncRunSort as SyncRunSort, SyncState as SyncState, SyncTrigger as SyncTrigger,
    )
    from .tenant_billing import (
        Billing as Billing, BillingCycle as BillingCycle, BillingStatus as BillingStatus,
        BillingUpdate as BillingUpdate, BillingUpgrade as BillingUpgrade, Invoice as Invoice,
        InvoiceLine as InvoiceLine, InvoiceSort as InvoiceSort, InvoiceStatus as InvoiceStatus,
        PaymentMethod as PaymentMethod, PaymentMethodType as PaymentMethodType, Seats as Seats,
    )
    from .tenant_features import (
        FeatureSwitches as FeatureSwitches, LimitValues as LimitValues, TenantFeature as TenantFeature,
        TenantFeatures as TenantFeatures, TenantLimits as TenantLimits, TenantUsage as TenantUsage,
        UsageLimit as UsageLimit, UsageMetric as UsageMetric,
    )
    from .tenants import (
        Branding as Branding, BrandingInput as BrandingInput, CharacterClass as CharacterClass,
        CurrencyRate as CurrencyRate, CurrencyRateInput as CurrencyRateInput, DefaultAssignment as DefaultAssignment,
        DuplicatePolicy as DuplicatePolicy, EmailSettings as EmailSettings, EmailSettingsInput as EmailSettingsInput,
        PlanName as PlanName, Region as Region, SecuritySettings as SecuritySettings,
        SecuritySettingsInput as SecuritySettingsInput, Tenant as Tenant, TenantConfig as TenantConfig,
        TenantConfigUpdate as TenantConfigUpdate, TenantCreate as TenantCreate, TenantSlug as TenantSlug,
        TenantSort as TenantSort, TenantStatus as TenantStatus, TenantUpdate as TenantUpdate,
    )
    from .users import (
        BusinessDay as BusinessDay, BusinessDayInput as BusinessDayInput, BusinessHours as BusinessHours,
        BusinessHoursInput as BusinessHoursInput, CalendarLayout as CalendarLayout,
        EffectivePermissions as EffectivePermissions, FieldAccess as FieldAccess, FieldPermission as FieldPermission,
        Language as Language, Permission as Permission, PermissionAction as PermissionAction,
        PermissionScope as PermissionScope, Role as Role, RoleRef as RoleRef, Team as Team, TeamCreate as TeamCreate,
        TeamMember as TeamMember, TeamRole as TeamRole, TeamSort as TeamSort, TeamUpdate as TeamUpdate, Theme as Theme,
        TimeFormat as TimeFormat, User as User, UserCreate as UserCreate, UserPreferences as UserPreferences,
        UserPreferencesUpdate as UserPreferencesUpdate, UserProfile as UserProfile,
        UserProfileUpdate as UserProfileUpdate, UserRole as UserRole, UserSort as UserSort, UserStatus as UserStatus,
        UserUpdate as UserUpdate,
    )
    from .values import (
        Address as Address, AddressInput as AddressInput, AllowedNetwork as AllowedNetwork, Amount as Amount,
        BulkItem as BulkItem, BulkResult as BulkResult, Channel as Channel, EntityRef as EntityRef,
        EntityRefInput as EntityRefInput, EntityType as EntityType, ErrorDetail as ErrorDetail,
        FieldChange as FieldChange, FieldValue as FieldValue, Filter as Filter, FilterGroup as FilterGroup,
        FilterOperator as FilterOperator, JobCounts as JobCounts, JobError as JobError, JsonValue as JsonValue,
        LeadSource as LeadSource, Level as Level, MergeCounts as MergeCounts, Money as Money, Name as Name,
        Order as Order, Period as Period, Priority as Priority, Rating as Rating, ScoreReason as ScoreReason,
        SearchQuery as SearchQuery, Sentiment as Sentiment, SocialNetwork as SocialNetwork,
        SocialProfile as SocialProfile, SocialProfileInput as SocialProfileInput, Trend as Trend, Upload as Upload,
        UserRef as UserRef,
    )
    from .webhooks import (
        WebhookAttempt as WebhookAttempt, WebhookCreate as WebhookCreate, WebhookDelivery as WebhookDelivery,
        WebhookDeliveryState as WebhookDeliveryState, WebhookEndpoint as WebhookEndpoint, WebhookEvent as WebhookEvent,
        WebhookSecret as WebhookSecret, WebhookUpdate as WebhookUpdate,
    )
    from .workflow_actions import (
        ActionSpec as ActionSpec, ActionSpecInput as ActionSpecInput, ActionType as ActionType, Condition as Condition,
        ConditionGroup as ConditionGroup,
    )
    from .workflows import (
        ExecutionSort as ExecutionSort, ExecutionSource as ExecutionSource, ExecutionStatus as ExecutionStatus,
        ExecutionStep as ExecutionStep, OnError as OnError, StepStatus as StepStatus, TriggerType as TriggerType,
        Workflow as Workflow, WorkflowAction as WorkflowAction, WorkflowActionCreate as WorkflowActionCreate,
        WorkflowActionUpdate as WorkflowActionUpdate, WorkflowCreate as WorkflowCreate,
        WorkflowExecution as WorkflowExecution, WorkflowSort as WorkflowSort, WorkflowStatus as WorkflowStatus,
        WorkflowTrigger as WorkflowTrigger, WorkflowTriggerCreate as WorkflowTriggerCreate,
        WorkflowTriggerUpdate as WorkflowTriggerUpdate, WorkflowUpdate as WorkflowUpdate,
    )

_NAMES = {
    "accounts": (
        "Account AccountCreate AccountHierarchy AccountMerge AccountNode AccountSort AccountStatus AccountType "
        "AccountUpdate Depth HierarchyRollup MergeIds Territory TerritoryAssignment TerritoryField TerritoryRule"
    ),
    "achievements": "Achievement AchievementList AchievementProgress AchievementRarity AchievementTotals",
    "activities": (
        "Activity ActivityKind ActivityRecord ActivitySort ActivitySource CalendarEvent Call CallOutcome "
        "CallStatus Direction Email EmailAddress EmailFolder EmailStatus EmailThread EmailTracking EventStatus "
        "EventType Note OtherActivity Reminder ReminderChannel Task TaskStatus TaskType TrackedLink Visibility"
    ),
    "activity_calendar": (
        "Availability CalendarDay CalendarFeed CalendarItem CalendarKind CalendarSpan CalendarView "
        "InvitationAnswer Minutes SeriesScope TimeBlock TimelineEntry TimelineKind TimelineSort TimeSlot UserBusy"
    ),
    "activity_inputs": (
        "ActivityCreate ActivityMembers ActivityTitle ActivityUpdate CallCreate CallMembers CallUpdate "
        "EmailAddressInput EmailCreate EmailMembers EventMembers GuestAddress LongText NoteBody NoteCreate "
        "NoteMembers RecurrenceRule ReminderInput TaskCreate TaskMembers"
    ),
    "agents": (
        "Agent AgentAction AgentCreate AgentExecution AgentOutput "
        "AgentPerformance AgentRequest AgentStatus AgentType AgentUsage"
    ),
    "ai": "ChurnRisk DealProbability QueryAnswer QueryIntent SentimentResult",
    "ai_insights": (
        "FeatureWeight Holdout LeadScoringConfig LeadScoringConfigUpdate LeadScoringModel ModelMetrics "
        "ModelStatus Portion SampleCount ScoringRule ScoringRuleInput"
    ),
    "ai_predictions": (
        "ChurnPrediction ChurnPredictions ConfidenceLevel DealPrediction DealPredictions HorizonDays "
        "OtherPrediction Prediction PredictionRecord RevenueHorizon RevenuePoint RevenuePrediction"
    ),
    "ai_recommendations": (
        "FeedbackReason Recommendation RecommendationAction RecommendationFeedback RecommendationKind "
        "RecommendationRating RecommendationSort RecommendationStatus"
    ),
    "analytics": "AgentMetrics AgentReport AiPerformance AiTotals AnalyticsSummary DashboardStats DashboardTrends",
    "analytics_metrics": (
        "ActivityMetrics ChangeType CompareTo EventSummary LeadMetrics MetricUnit MetricValue OwnerActivity "
        "PerformanceMetrics PerformanceSort RealTimeMetrics SalesMetrics TeamPerformance"
    ),
    "any_jobs": "AnyJob JobKind JobResult JobSort JobStatus",
    "any_records": "AnyRecord",
    "audit": (
        "AuditActor AuditActorType AuditCategory AuditChange AuditDialect AuditLog AuditLogCreate AuditSeverity "
        "AuditSort AuditSource ChangeReport ChangeRow DataLineage LineageDepth LineageDirection LineageEdge "
        "LineageNode LineageOrigin LineageRelation PurgeResult RetentionAction RetentionBasis RetentionDays "
        "RetentionPolicy RetentionPolicyInput"
    ),
    "audit_reports": (
        "AuditExportFormat AuditReportName ComplianceControl ComplianceFramework ComplianceReport "
        "ComplianceStatus ControlStatus DataAccessReport DataAccessRow"
    ),
    "auth": "Authorization Credential LoginResult Registration ShownCredential SignInEmail TokenSet UserInfo",
    "backups": (
        "Backup BackupEntities BackupEntity BackupInclude BackupIncludes BackupName BackupSort BackupStatus "
        "BackupTrigger RestoreDifference RestoreMode RestoreResult"
    ),
    "calendar": (
        "CalendarEventCreate CalendarEventUpdate CalendarStats ConflictType ConflictWarning EventFilter "
        "PreferredTime ScheduleSuggestion SmartScheduling"
    ),
    "calendar_meetings": (
        "Attendee AttendeeInput AttendeeRole AttendeeStatus MeetingInsight "
        "MeetingOutcome MeetingOutcomeInput MeetingPreparation"
    ),
    "changes": "Change ChangeInclude ChangeKind ChangeLimit ChangePage ChangeStart",
    "channels": (
        "ChannelPush ContactHealthChangedPush ContactUpdatedPush ConversationUnreadCountPush "
        "ConversationUpdatedPush DealActivityAddedPush DealCreatedPush DealStageChangedPush DealUpdatedPush "
        "EventCreatedPush EventReminderPush EventUpdatedPush KnownPush MessageReceivedPush "
        "NotificationDeletedPush NotificationNewPush NotificationReadPush Push UnknownPush"
    ),
    "chatops": (
        "ChatChannel ChatCommand ChatContext ChatFigure ChatFilter ChatFilterGroup ChatIntent ChatIntentName "
        "ChatMessage ChatOperation ChatPlan ChatPlanStatus ChatRole ChatText"
    ),
    "collaboration": (
        "CollaborationNotificationType Comment CommentCreate CommentSort CommentUpdate FeedFilter FeedItem "
        "FeedSort FeedVerb MentionedIds MentionMessage NotificationSort ShareCreate ShareScope ShareSort "
        "ShareUpdate UserMention"
    ),
    "communication": "CallSort EmailInclude EmailSend EmailSort Grouping MailFolder MeetingJoin Recipient ToDial",
    "configuration": (
        "Environment FeatureFlag FeatureFlagCreate FeatureFlagUpdate FlagAttributes FlagEvaluation FlagReason "
        "FlagRule FlagRuleInput FlagSort FlagType Setting SettingScope SettingSource SettingType SettingValues "
        "TerritoryCreate TerritoryRuleInput TerritorySort TerritoryUpdate"
    ),
    "contact_duplicates": (
        "ContactMerge DeduplicateMode DeduplicateResult DuplicateField DuplicateGroup DuplicateMatch "
        "DuplicateReason MergeGroup MergeGroupInput SurvivorRule"
    ),
    "contact_imports": (
        "ColumnMapping ColumnTransform ContactFileFormat ContactValidation "
        "ImportDuplicates ImportMatch ImportMode ImportResult"
    ),
    "contacts": (
        "AIInsight CommunicationCreate CommunicationEvent CommunicationType Contact ContactCreate ContactDraft "
        "ContactFilter ContactInclude ContactRelationship ContactRelationshipCreate ContactRelationshipUpdate "
        "ContactSort ContactStats ContactStatus ContactUpdate ContactUpsert LifecycleStage RelationshipSort "
        "RelationshipType"
    ),
    "continued": "Continued",
    "conversations": "Conversation ConversationFilter ConversationStatus MessagePreview",
    "custom_fields": (
        "CustomField CustomFieldCreate CustomFieldUpdate FieldDraft FieldLabels FieldOption FieldOptionInput "
        "FieldOverride FieldSort FieldType FieldValidation OnDelete"
    ),
    "custom_objects": (
        "Cardinality CustomObject CustomObjectCreate CustomObjectSort CustomObjectUpdate ObjectRelationship "
        "ObjectRelationshipCreate ObjectRelationshipSort ObjectRelationshipUpdate"
    ),
    "custom_records": "CustomRecord CustomRecordCreate CustomRecordInclude CustomRecordSort CustomRecordUpdate",
    "customization": (
        "Layout LayoutAudience LayoutColumn LayoutColumnInput LayoutCreate LayoutField LayoutFieldInput "
        "LayoutKind LayoutSection LayoutSectionInput LayoutSort LayoutUpdate"
    ),
    "dashboard": "ActionItem ActionItemType DashboardSummary ForecastShare ItemAction RevenueForecast",
    "dashboard_data": "DashboardData DashboardEvent DashboardEventName WidgetData",
    "dashboards": (
        "Columns Dashboard DashboardCreate DashboardFilters DashboardFiltersInput DashboardSort DashboardUpdate "
        "RefreshSeconds ReportQuery ReportQueryInput Widget WidgetCreate WidgetInput WidgetPosition "
        "WidgetPositionInput WidgetPositionUpdate WidgetSource WidgetSourceInput WidgetTitle WidgetType "
        "WidgetUpdate"
    ),
    "deal_analytics": (
        "BoardStage BoardStatus CardLimit CompetitorResult ConversionAnalytics DealForecast ForecastAccuracy "
        "ForecastAnalytics ForecastCategories ForecastPeriod LossReason MetricPoint OwnerPerformance "
        "PerformanceAnalytics PipelineBoard Series SlippedDeal StageChangeSort StageConversion StageDirection "
        "StageDuration StageHistoryEntry VelocityAnalytics WinLossAnalytics WinLossGroup WinLossGrouping"
    ),
    "deals": (
        "Deal DealActivity DealActivityCreate DealActivityType DealBulkUpdate DealContact DealContactInput "
        "DealCreate DealFilter DealInclude DealInsight DealPart DealRole DealSort DealStage DealStatus DealType "
        "DealUpdate ForecastCategory LostReason StageStats"
    ),
    "drafts": "Draft",
    "enrichment": "EnrichedField EnrichedRecord EnrichmentResult EnrichmentSource EnrichmentStatus",
    "events": (
        "AgentCompleted AgentResult AgentState AgentStatusUpdate CreatedLead Event IntegrationError "
        "IntegrationFault LeadCreated LeadUpdated MessageReceived MetricChange MetricsUpdate ReceivedMessage "
        "UnknownEvent UpdatedLead"
    ),
    "exports": (
        "ExportFormat ExportMode ExportRequest ExportRequestInput ExportRequestUpdate ExportSchedule "
        "ExportScheduleCreate ExportScheduleSort ExportScheduleUpdate"
    ),
    "files": (
        "ByteRange File FileLabel FileMetadata FileMetadataUpdate FileName FileOperation FilePermission "
        "FilePermissionInput FilePermissions FilePreview FileScan FileSort FileTechnical FileText FileVersion "
        "FileVersionSort FolderPath MadeFormat NameConflict PermissionSubject PictureFit PreviewKind "
        "ProcessOptions Revision SaveAs ScanStatus ShareAddress SharedFile SharedFileSort ShareDirection "
        "SharePassword ThumbnailFormat ThumbnailSize"
    ),
    "imports": (
        "BatchSize ImportColumn ImportFormat ImportLink ImportPreview ImportRow OnDuplicate RecordImportMode "
        "RevertResult SampleSize StopAfter Word"
    ),
    "integration_mappings": (
        "FieldMapping FieldMappingCreate FieldMappingUpdate MappedEntity MappingDraft MappingIssue MappingSample "
        "MappingSort MappingValidation Transform"
    ),
    "integrations": (
        "AuthType CheckResult ConflictResolution ConnectionTest Integration IntegrationCreate "
        "IntegrationCredentials IntegrationSort IntegrationStatus IntegrationType IntegrationUpdate Provider "
        "SyncFrequency SyncStatus"
    ),
    "jobs": "AsyncJob Job JobState RunStatus",
    "lead_captures": "CaptureChannel CaptureMatch EmailCapture LeadCapture SocialCapture WebFormSubmission",
    "lead_conversions": "LeadConversion LeadConversionInput",
    "leads": (
        "AssignmentStrategy Lead LeadAssignment LeadCreate LeadScore LeadScoreSort LeadScoreSource LeadSort "
        "LeadSourceReport LeadSourceStats LeadStatus LeadUpdate Qualification UtmParams UtmParamsInput"
    ),
    "marketplace": (
        "App AppCategory AppCreate AppDeveloper AppPricing AppPricingInput AppPricingUpdate AppSecret AppSort "
        "AppStatus AppUpdate AppVersion AppVersionCreate CategoryKey ConfigField ConfigFieldInput ConfigFieldType "
        "EventText PermissionText PricingInterval PricingModel Semver Slug VersionStatus"
    ),
    "marketplace_installations": (
        "AppAnalytics ConfigValues Installation InstallationHealth "
        "InstallationSort InstallationState InstallationStatus"
    ),
    "marks": "Personal TextFirst",
    "message_templates": (
        "Content MessageCategory MessageTemplate MessageTemplateCreate MessageTemplateUpdate SubjectLine "
        "TemplateSort TemplateTranslation TemplateTranslationInput"
    ),
    "messages": (
        "Attachment BusinessIntent ConversationMessageCreate Message MessageAnalysis MessageCreate MessageSender "
        "MessageStats MessageStatus MessageType SenderType SentimentOverview SmartCompose TemplateCategory Tone "
        "ToneAdjustments TonePreview"
    ),
    "mfa": "BackupCode BackupCodes MfaMethod MfaSetup MfaVerification",
    "monitoring": (
        "ComponentType Health HealthCheck HealthStatus Impact Incident Indicator MetricKind Metrics MetricSample "
        "Probe RecoveryStatus ServiceState ServiceStatus SystemStatus"
    ),
    "notification_delivery": (
        "BulkRecipient ChannelStats DeliveryAttempt DeliveryStatus Destination MailAddress NotificationAnalytics "
        "Sending Variables"
    ),
    "notification_preferences": (
        "ChannelPreferences ChannelPreferencesInput Digest NotificationPreferences NotificationPreferencesUpdate "
        "QuietHours QuietHoursInput Subscription SubscriptionSort SubscriptionSource TypePreference "
        "TypePreferenceInput"
    ),
    "notifications": "DeliveryState HistorySort Notification NotificationStatus NotificationType UnreadCount",
    "objects": (
        "Capability DeletedRecord DeletedSort FieldDescription FieldKind ObjectDescription ObjectKey "
        "ObjectSummary OnMatch RecordAction RecordOperation RecordRef RecordScan RecordValues "
        "RelationshipDescription ScanLimit Tombstone TransactionResult UpsertMode UpsertResult"
    ),
    "patterns": "TimeOfDay",
    "pipelines": (
        "ActionPreview AutomationEvent AutomationRule AutomationRuleCreate AutomationRuleUpdate AutomationSort "
        "AutomationTest AutomationTrigger AutomationTriggerInput AutomationTriggerUpdate ConditionResult Pipeline "
        "PipelineCreate PipelineEntity PipelineSort PipelineUpdate Stage StageCreate StageKind StageUpdate"
    ),
    "presence": "PresenceSort PresenceStatus UserPresence",
    "privacy": "Confirmation ErasureReason PrivacyCount PrivacyFormat PrivacyReport PrivacySubject Subject",
    "record": "Mismatch Model Record",
    "report_runs": (
        "ExportResult ReportData ReportDataColumn ReportGroupRow ReportRun "
        "ReportSchedule ReportScheduleCreate"
    ),
    "reports": (
        "ChartSpec ChartSpecInput ChartSpecUpdate ChartType ColumnFormat CsvDelimiter CsvEncoding DatePreset "
        "DateRange DateRangeInput FieldPath Label MeasureFunction Orientation Paper ParameterType Report "
        "ReportColumn ReportColumnInput ReportCreate ReportFormat ReportGroup ReportGroupInput ReportListSort "
        "ReportMeasure ReportMeasureInput ReportName ReportParameter ReportParameterInput ReportSort "
        "ReportSortInput ReportUpdate RowLimit RunTrigger ScheduleFormat ScheduleSort SharedWith"
    ),
    "runs": "Run",
    "schedules": "Schedule ScheduleFrequency ScheduleInput ScheduleUpdate",
    "search": (
        "AutocompleteItem ByScore EntityIndexStatus Facet FacetBucket FacetRange FacetRequest FoundRecord "
        "Highlight HitSort IndexStatus SearchConfig SearchConfigUpdate SearchEntityConfig SearchEntityInput "
        "SearchFieldConfig SearchFieldInput SearchHit SearchResults SearchSuggestion SearchText SearchType "
        "SearchWeight SuggestedFilter"
    ),
    "security": (
        "AccessCheck AccessDecision AccessGrant AccessReason AnyWord ApiKey ApiKeyCreate ApiKeySort ApiKeyStatus "
        "EntityInput FieldPermissionInput GrantKind KeyPermission PermissionInfo PermissionInput PolicyImpact "
        "RoleCreate RoleKey RoleSort RoleUpdate SecurityPolicy SecurityPolicyInput SecurityPolicyResult"
    ),
    "sessions": "AuthMethod Session SessionSort SessionValidation",
    "shares": "Access Share ShareSubject",
    "social": (
        "AccountId Network PostMetrics PostTarget PostTargetStatus PostText SocialAccount SocialAccountSort "
        "SocialAccountStatus SocialPost SocialPostCreate SocialPostStatus"
    ),
    "social_engagement": (
        "Engagement EngagementCreate EngagementDirection EngagementKind EngagementMetrics EngagementSort "
        "EngagementStatus NetworkMetrics ResponseKind ResponseText SocialAuthorInput"
    ),
    "social_listening": (
        "AlertCondition KeywordMatch KeywordText MentionSort MentionStatus MonitoringKeyword "
        "MonitoringKeywordCreate SentimentGroup SentimentGrouping SentimentReport SocialAlert SocialAlertCreate "
        "SocialAuthor SocialMention"
    ),
    "sync_runs": "SyncConflict SyncDirection SyncMode SyncRun SyncRunSort SyncState SyncTrigger",
    "tenant_billing": (
        "Billing BillingCycle BillingStatus BillingUpdate BillingUpgrade Invoice InvoiceLine InvoiceSort "
        "InvoiceStatus PaymentMethod PaymentMethodType Seats"
    ),
    "tenant_features": (
        "FeatureSwitches LimitValues TenantFeature TenantFeatures TenantLimits "
        "TenantUsage UsageLimit UsageMetric"
    ),
    "tenants": (
        "Branding BrandingInput CharacterClass CurrencyRate CurrencyRateInput DefaultAssignment DuplicatePolicy "
        "EmailSettings EmailSettingsInput PlanName Region SecuritySettings SecuritySettingsInput Tenant "
        "TenantConfig TenantConfigUpdate TenantCreate TenantSlug TenantSort TenantStatus TenantUpdate"
    ),
    "users": (
        "BusinessDay BusinessDayInput BusinessHours BusinessHoursInput CalendarLayout EffectivePermissions "
        "FieldAccess FieldPermission Language Permission PermissionAction PermissionScope Role RoleRef Team "
        "TeamCreate TeamMember TeamRole TeamSort TeamUpdate Theme TimeFormat User UserCreate UserPreferences "
        "UserPreferencesUpdate UserProfile UserProfileUpdate UserRole UserSort UserStatus UserUpdate"
    ),
    "values": (
        "Address AddressInput AllowedNetwork Amount BulkItem BulkResult Channel EntityRef EntityRefInput "
        "EntityType ErrorDetail FieldChange FieldValue Filter FilterGroup FilterOperator JobCounts JobError "
        "JsonValue LeadSource Level MergeCounts Money Name Order Period Priority Rating ScoreReason SearchQuery "
        "Sentiment SocialNetwork SocialProfile SocialProfileInput Trend Upload UserRef"
    ),
    "webhooks": (
        "WebhookAttempt WebhookCreate WebhookDelivery WebhookDeliveryState "
        "WebhookEndpoint WebhookEvent WebhookSecret WebhookUpdate"
    ),
    "workflow_actions": "ActionSpec ActionSpecInput ActionType Condition ConditionGroup",
    "workflows": (
        "ExecutionSort ExecutionSource ExecutionStatus ExecutionStep OnError StepStatus TriggerType Workflow "
        "WorkflowAction WorkflowActionCreate WorkflowActionUpdate WorkflowCreate WorkflowExecution WorkflowSort "
        "WorkflowStatus WorkflowTrigger WorkflowTriggerCreate WorkflowTriggerUpdate WorkflowUpdate"
    ),
}
# Written by `make docs`: end
# isort: on
# fmt: on

_WHERE = {name: module for module, names in _NAMES.items() for name in names.split()}

__all__ = sorted(_WHERE)  # pyright: ignore[reportUnsupportedDunderAll] # the names of the table, kept once


if not TYPE_CHECKING:  # or else type checkers would take a misspelt name for one that is found at run time

    def __getattr__(name):
        if name not in _WHERE:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from ..frozen import real_dates

        with real_dates():
            value = globals()[name] = getattr(_import(f".{_WHERE[name]}", __name__), name)
        return value


def __dir__() -> list[str]:
    return __all__
