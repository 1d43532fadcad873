"""Social networks: accounts and posts, what is said about the company, and how people engage."""

from __future__ import annotations

from collections.abc import Sequence
from typing import (
    TYPE_CHECKING,
    Annotated,
    List,  # `list` is a method in these classes
)

from pydantic import Field
from typing_extensions import Unpack

from ..declare import operation, paginated
from ..listing import Range, Searching, Sorting
from ..paging import Page
from ..resource import Mode, Resource, part

if TYPE_CHECKING:
    from pydantic import AwareDatetime

    from ..models.analytics_metrics import CompareTo
    from ..models.social import (
        Network,
        SocialAccount,
        SocialAccountSort,
        SocialAccountStatus,
        SocialPost,
        SocialPostCreate,
    )
    from ..models.social_engagement import (
        Engagement,
        EngagementCreate,
        EngagementDirection,
        EngagementKind,
        EngagementMetrics,
        EngagementSort,
        ResponseKind,
        ResponseText,
    )
    from ..models.social_listening import (
        KeywordText,
        MentionSort,
        MentionStatus,
        MonitoringKeyword,
        MonitoringKeywordCreate,
        SentimentGrouping,
        SentimentReport,
        SocialAlert,
        SocialAlertCreate,
        SocialMention,
    )
    from ..models.values import Sentiment

_TIMES = {"since": "The earliest time, included.", "until": "The latest time, not included."}
_ACCOUNT = {"account_id": "Id of an account of the company."}


class SearchedSorting(Searching, Sorting, total=False):
    """Words to search for, the direction of `sort`, and the page."""


class SocialAccounts(Resource[Mode]):
    """The company's accounts on social networks."""

    @operation(
        platform="POST /social/accounts/connect",
        status=201,
        action="manage",
        errors=("ACCOUNT_CONNECTED", "CONNECTION_REFUSED"),
        texts={
            "network": "The social network.",
            "code": "The code that the network's sign-in page gave; it needs `redirect_uri`.",
            "redirect_uri": "The address that the sign-in page came back to.",
            "access_token": "A token of the account, instead of a code.",
        },
    )
    def connect(
        self,
        network: Network,
        *,
        code: str | None = None,
        redirect_uri: str | None = None,
        access_token: str | None = None,
    ) -> SocialAccount:
        """Connect an account by a code or a token; one that has expired keeps its id.

        Raises: ConflictError when it is connected; ValidationError without a code and its address or a token, and when
        the network refuses it.
        """

    @paginated(platform="GET /social/accounts", texts={"network": "The social network."})
    def list(
        self,
        *,
        network: Network | None = None,
        status: SocialAccountStatus | None = None,
        sort: SocialAccountSort | None = None,
        **common: Unpack[Sorting],
    ) -> Page[SocialAccount]:
        """List the accounts, also those that are no longer connected.

        Raises: ValidationError for a limit out of bounds or a member that cannot be sorted by.
        """

    @operation(platform="DELETE /social/accounts/{account_id}")
    def disconnect(self, account_id: str) -> SocialAccount:
        """Disconnect an account: its token is erased, and scheduled posts to it fail; its history stays.

        Raises: NotFoundError.
        """


class SocialPosts(Resource[Mode]):
    """What the company posts."""

    @operation(
        platform="POST /social/posts",
        action="manage",
        errors=("ACCOUNT_DISCONNECTED", "CONTENT_TOO_LONG", "MEDIA_REQUIRED"),
    )
    def create(self, post: SocialPostCreate) -> SocialPost:
        """Publish a post on one or several accounts, at once or at `scheduled_at`.

        Raises: ConflictError when an account is not connected; ValidationError, including for a text that is too long
        for one of the networks, a post to instagram without picture, and a time that has passed.
        """

    @operation(platform="GET /social/posts/{post_id}")
    def get(self, post_id: str) -> SocialPost:
        """Fetch one post, with its figures as they are now.

        Raises: NotFoundError.
        """


class MonitoringKeywords(Resource[Mode]):
    """The words to listen for."""

    @operation(
        platform="POST /social/monitoring/keywords",
        status=200,
        action="create",
        errors=("KEYWORD_EXISTS",),
        texts={"keywords": "The words: texts, or keywords with how they match and where."},
    )
    def create(
        self, keywords: Annotated[Sequence[KeywordText | MonitoringKeywordCreate], Field(max_length=50)]
    ) -> List[MonitoringKeyword]:
        """Listen for words, all of them or none; the last 30 days are searched at once.

        A text stands for a phrase on all networks.

        Raises: ConflictError when a keyword is there with the same `match`; ValidationError.
        """


class SocialMentions(Resource[Mode]):
    """What is said with the keywords."""

    @paginated(
        platform="GET /social/monitoring/mentions",
        texts={
            **_TIMES,
            **_ACCOUNT,
            "keyword_id": "Id of a keyword that it has.",
            "network": "The social network.",
            "contact_id": "Id of the contact who wrote it.",
            "min_followers": "The least number of the author's followers.",
            "search": "Words of the text, or of the author's name.",
        },
    )
    def list(
        self,
        *,
        keyword_id: str | None = None,
        network: Network | None = None,
        sentiment: Sentiment | None = None,
        status: MentionStatus | None = None,
        account_id: str | None = None,
        contact_id: str | None = None,
        min_followers: int | None = None,
        since: AwareDatetime | None = None,
        until: AwareDatetime | None = None,
        sort: MentionSort | None = None,
        **common: Unpack[SearchedSorting],
    ) -> Page[SocialMention]:
        """List the mentions, the latest first.

        Raises: ValidationError for a limit out of bounds or a member that cannot be sorted by.
        """


class SocialAlerts(Resource[Mode]):
    """What is told as soon as it happens."""

    @operation(platform="POST /social/monitoring/alerts", action="manage")
    def create(self, alert: SocialAlertCreate) -> SocialAlert:
        """Have users told when a condition holds; it is checked with each mention and by the clock.

        Raises: ValidationError, including for a condition without the threshold that it needs.
        """


class SocialMonitoring(Resource[Mode]):
    """What is said about the company."""

    keywords: MonitoringKeywords[Mode] = part(MonitoringKeywords)
    mentions: SocialMentions[Mode] = part(SocialMentions)
    alerts: SocialAlerts[Mode] = part(SocialAlerts)

    @operation(
        platform="GET /social/monitoring/sentiment",
        texts={
            "keyword_id": "Id of a keyword that the mentions have.",
            "network": "The social network.",
            "group_by": "What the mentions are grouped by.",
        },
    )
    def sentiment(
        self,
        *,
        keyword_id: str | None = None,
        network: Network | None = None,
        group_by: SentimentGrouping = "network",
        **common: Unpack[Range],
    ) -> SentimentReport:
        """Tell how the mentions of some days sound, by default of the last 30.

        Raises: ValidationError for a range that ends before it starts.
        """


class SocialEngagement(Resource[Mode]):
    """How people engage with the company."""

    @operation(
        platform="GET /social/engagement/metrics",
        texts={**_ACCOUNT, "network": "The social network.", "compare_to": "The days to compare with."},
    )
    def metrics(
        self,
        *,
        account_id: str | None = None,
        network: Network | None = None,
        compare_to: CompareTo = "previous_period",
        **common: Unpack[Range],
    ) -> EngagementMetrics:
        """Count followers, impressions, engagements, mentions and answers of some days, by default of the last 30.

        Raises: ValidationError for a range that ends before it starts.
        """

    @operation(
        platform="POST /social/engagement/respond",
        status=201,
        errors=("ACCOUNT_DISCONNECTED", "CONTENT_TOO_LONG", "NETWORK_MISMATCH"),
        texts={
            "mention_id": "Id of the mention.",
            "content": "The answer; a like and a share have none.",
            "account_id": "Id of the account that answers, if several of the network are connected.",
            "kind": "The way to answer.",
        },
    )
    def respond(
        self,
        mention_id: str,
        content: ResponseText | None = None,
        *,
        account_id: str | None = None,
        kind: ResponseKind = "reply",
    ) -> Engagement:
        """Answer a mention, which is `responded` then; the answer is noted with the contact who wrote it.

        Raises: ConflictError when the account is not connected; ValidationError for a mention or an account that is not
        there, an account of another network, none where one has to be chosen, and an answer without text.
        """

    @paginated(
        platform="GET /social/engagement/history",
        texts={
            **_TIMES,
            **_ACCOUNT,
            "kind": "What was done.",
            "direction": "By others or by the company.",
            "network": "The social network.",
            "post_id": "Id of a post.",
            "mention_id": "Id of a mention.",
            "contact_id": "Id of a contact.",
            "user_id": "Id of the user who answered.",
        },
    )
    def history(
        self,
        *,
        kind: EngagementKind | None = None,
        direction: EngagementDirection | None = None,
        network: Network | None = None,
        account_id: str | None = None,
        post_id: str | None = None,
        mention_id: str | None = None,
        contact_id: str | None = None,
        user_id: str | None = None,
        since: AwareDatetime | None = None,
        until: AwareDatetime | None = None,
        sort: EngagementSort | None = None,
        **common: Unpack[Sorting],
    ) -> Page[Engagement]:
        """List what was done with posts and mentions, the latest first.

        Raises: ValidationError for a limit out of bounds or a member that cannot be sorted by.
        """

    @operation(platform="POST /social/engagement/track", status=201, statuses=(200,), errors=("NETWORK_MISMATCH",))
    def track(self, engagement: EngagementCreate) -> Engagement:
        """Record what somebody did with a post or a mention: it counts in the figures of the post.

        What has the network and `external_id` of an earlier one is not recorded again; the earlier one is answered.

        Raises: ValidationError for a post or a mention that is not there, and a time to come.
        """


class Social(Resource[Mode]):
    """The company on social networks."""

    accounts: SocialAccounts[Mode] = part(SocialAccounts)
    posts: SocialPosts[Mode] = part(SocialPosts)
    monitoring: SocialMonitoring[Mode] = part(SocialMonitoring)
    engagement: SocialEngagement[Mode] = part(SocialEngagement)
