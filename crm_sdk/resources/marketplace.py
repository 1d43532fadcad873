"""The marketplace: its catalogue of apps, the apps of a company, and the apps that a company develops."""

from __future__ import annotations

from collections.abc import Sequence
from typing import (
    TYPE_CHECKING,
    List,  # `list` is a method in these classes
)

from typing_extensions import Unpack

from ..declare import operation, paginated
from ..listing import Range, Sorting
from ..paging import Page
from ..resource import Mode, Resource, part

if TYPE_CHECKING:
    from ..models.marketplace import (
        App,
        AppCategory,
        AppCreate,
        AppSort,
        AppUpdate,
        AppVersion,
        AppVersionCreate,
        PermissionText,
        PricingModel,
        Semver,
    )
    from ..models.marketplace_installations import (
        AppAnalytics,
        ConfigValues,
        Installation,
        InstallationSort,
        InstallationState,
        InstallationStatus,
    )
    from ..models.values import Limit

_APP = "/marketplace/apps/{app_id}"
_INSTALLATION = "/marketplace/installations/{installation_id}"
_APP_TEXT = {"app_id": "Id or slug of the app."}
_GRANTED = {"granted_permissions": "The permissions that the app gets: at least all those it needs."}


class AppVersions(Resource[Mode]):
    """The versions of an app that the company develops."""

    @operation(platform=f"POST {_APP}/versions", texts=_APP_TEXT, errors=("REVIEW_PENDING", "VERSION_NOT_NEWER"))
    def create(self, app_id: str, version: AppVersionCreate) -> AppVersion:
        """Submit a version of an app; once it has passed the review, the companies that have the app can update to it.

        What it leaves out is as in the version before. Permissions that it needs in addition have to be granted by
        `installations.configure`.

        Raises: NotFoundError; PermissionDeniedError for the app of another company; ConflictError when the version is
        not newer than the present one, or another one is in review; ValidationError.
        """


class MarketplaceApps(Resource[Mode]):
    """The apps of the marketplace."""

    versions: AppVersions[Mode] = part(AppVersions)

    @paginated(
        platform="GET /marketplace/apps",
        texts={
            "category": "The key of a category.",
            "pricing": "How the app is paid for.",
            "installed": "Whether the company has it.",
            "developer_id": "Id of who offers it.",
            "min_rating": "The smallest mean of its ratings.",
        },
    )
    def list(
        self,
        *,
        category: str | None = None,
        pricing: PricingModel | None = None,
        tags: Sequence[str] | None = None,
        installed: bool | None = None,
        min_rating: float | None = None,
        developer_id: str | None = None,
        sort: AppSort | None = None,
        **common: Unpack[Sorting],
    ) -> Page[App]:
        """List the published apps, and those that the company develops in any status.

        Raises: ValidationError for a limit out of bounds or a member that cannot be sorted by.
        """

    @operation(platform="GET /marketplace/apps/categories")
    def categories(self) -> List[AppCategory]:
        """List the categories, each with the number of its published apps."""

    @paginated(
        platform="GET /marketplace/apps/search",
        errors=("QUERY_TOO_SHORT",),
        texts={"category": "The key of a category.", "pricing": "How the app is paid for."},
    )
    def search(
        self,
        q: str,
        *,
        category: str | None = None,
        pricing: PricingModel | None = None,
        sort: AppSort | None = None,
        **common: Unpack[Sorting],
    ) -> Page[App]:
        """Search the apps by name, tags, tagline and description, the best match first.

        Raises: ValidationError for fewer than two characters.
        """

    @operation(platform="GET /marketplace/apps/featured", texts={"category": "The key of a category."})
    def featured(self, *, category: str | None = None, limit: Limit = 10) -> List[App]:
        """List the apps that the marketplace recommends, then those with most installs × rating of the last 30 days."""

    @operation(platform="POST /marketplace/apps", errors=("APP_EXISTS",))
    def create(self, app: AppCreate) -> App:
        """Submit an app; an hour later its listing has been reviewed, and it is published or rejected.

        It begins as version 1.0.0. Its `client_secret` signs the events that are posted to it.

        Raises: ConflictError when its slug is taken; ValidationError, including for an unknown category, permission or
        event.
        """

    @operation(platform=f"GET {_APP}", texts=_APP_TEXT)
    def get(self, app_id: str) -> App:
        """Fetch one app, by its id or its slug.

        Raises: NotFoundError, also for an app of another company that is not published.
        """

    @operation(platform=f"PUT {_APP}", texts=_APP_TEXT, errors=("APP_EXISTS", "NEW_VERSION_REQUIRED"))
    def update(self, app_id: str, changes: AppUpdate | App, *, version: int | None = None) -> App:
        """Change the listing of an app that the company develops; a rejected one is reviewed again.

        Raises: NotFoundError; PermissionDeniedError for the app of another company; ConflictError for permissions,
        events or settings of a published app, which need a new version, when the slug is taken, or when `version`
        differs; ValidationError.
        """

    @operation(platform=f"GET {_APP}/analytics", texts=_APP_TEXT)
    def analytics(self, app_id: str, **common: Unpack[Range]) -> AppAnalytics:
        """Count the installs of an app that the company develops, and what it earned; by default of the last 12 months.

        Raises: NotFoundError; PermissionDeniedError for the app of another company; ValidationError for a range that
        ends before it starts.
        """

    @operation(
        platform=f"POST {_APP}/install",
        status=201,
        action="manage",
        errors=("ALREADY_INSTALLED", "APP_NOT_PUBLISHED", "PERMISSION_NOT_GRANTED"),
        texts={
            **_APP_TEXT,
            **_GRANTED,
            "config": "The app's settings by their keys.",
            "version": "The published version to install, by default the latest.",
        },
    )
    def install(
        self,
        app_id: str,
        *,
        granted_permissions: Sequence[PermissionText],
        config: ConfigValues | None = None,
        version: Semver | None = None,
    ) -> Installation:
        """Install an app with the permissions that the company grants, and its settings.

        Only this answer has `access_token`, with which the app calls; it may do what was granted and nothing else.
        Where a required setting has no value, the status is `needs_configuration`.

        Raises: NotFoundError; PermissionDeniedError for a permission that the caller does not have; ConflictError when
        it is installed already or not published; ValidationError when a permission that it needs is missing, and for a
        setting that does not fit.
        """

    @operation(
        platform=f"DELETE {_APP}/uninstall",
        action="manage",
        errors=("NOT_INSTALLED",),
        texts={**_APP_TEXT, "keep_data": "Whether to keep the settings for the next time that it is installed."},
    )
    def uninstall(self, app_id: str, *, keep_data: bool = False) -> App:
        """Uninstall an app: its token and its subscriptions end at once, and its settings are erased.

        Raises: NotFoundError; ConflictError when it is not installed.
        """


class MarketplaceInstallations(Resource[Mode]):
    """The apps that the company has installed."""

    @paginated(
        platform="GET /marketplace/installations",
        texts={"category": "The key of the app's category."},
    )
    def list(
        self,
        *,
        status: InstallationState | None = None,
        category: str | None = None,
        sort: InstallationSort | None = None,
        **common: Unpack[Sorting],
    ) -> Page[Installation]:
        """List the installed apps.

        Raises: ValidationError for a limit out of bounds or a member that cannot be sorted by.
        """

    @operation(
        platform=f"PUT {_INSTALLATION}/config",
        action="manage",
        errors=("PERMISSION_NOT_GRANTED",),
        texts={**_GRANTED, "config": "Values of the app's settings by their keys; null takes one away."},
    )
    def configure(
        self,
        installation_id: str,
        config: ConfigValues,
        *,
        granted_permissions: Sequence[PermissionText] | None = None,
        version: int | None = None,
    ) -> Installation:
        """Change an app's settings and its permissions, and update it to the latest version.

        Settings merge with the present ones, and then have to be complete. A secret may come back as it was answered.
        The app stays at its version while a permission that the latest one needs is not granted.

        Raises: NotFoundError; PermissionDeniedError for a permission that the caller does not have; ConflictError when
        `version` differs; ValidationError for a setting that is missing or does not fit, and when a permission that
        the app needs is missing.
        """

    @operation(platform=f"GET {_INSTALLATION}/status")
    def status(self, installation_id: str) -> InstallationStatus:
        """Tell how an installed app does: its version, what it lacks, its calls and the deliveries of its events.

        Raises: NotFoundError.
        """


class Marketplace(Resource[Mode]):
    """Apps that extend the CRM."""

    apps: MarketplaceApps[Mode] = part(MarketplaceApps)
    installations: MarketplaceInstallations[Mode] = part(MarketplaceInstallations)
