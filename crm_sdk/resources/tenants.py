"""Tenants: the caller's company and those it manages: configuration, features, limits, use and billing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import Unpack

from ..declare import operation, paginated
from ..listing import Dates, Listing, Range, Sorting
from ..paging import Page
from ..resource import Mode, Resource, part

if TYPE_CHECKING:
    from ..models.tenant_billing import (
        Billing,
        BillingCycle,
        BillingUpdate,
        BillingUpgrade,
        Invoice,
        InvoiceSort,
        InvoiceStatus,
        Seats,
    )
    from ..models.tenant_features import FeatureSwitches, LimitValues, TenantFeatures, TenantLimits, TenantUsage
    from ..models.tenants import (
        PlanName,
        Tenant,
        TenantConfig,
        TenantConfigUpdate,
        TenantCreate,
        TenantSort,
        TenantStatus,
        TenantUpdate,
    )

_TENANT = "/tenants/{tenant_id}"
_ID = {"tenant_id": "Id of the company, or `current` for the caller's own."}


class DatedSorting(Dates, Sorting, total=False):
    """The arguments of a list of records that has no words to search for."""


class TenantConfigs(Resource[Mode]):
    """The configuration of a company."""

    @operation(platform=f"GET {_TENANT}/config", texts=_ID, role="everybody")
    def get(self, tenant_id: str) -> TenantConfig:
        """Fetch the configuration of the caller's company, whatever the role; of one that it manages, as an admin.

        Only admins are shown `security`.

        Raises: NotFoundError.
        """

    @operation(
        platform=f"PUT {_TENANT}/config",
        texts=_ID,
        errors=("CURRENCY_IN_USE", "LOCKOUT", "PIPELINE_INACTIVE", "TENANT_CANCELLED"),
    )
    def update(
        self, tenant_id: str, changes: TenantConfigUpdate | TenantConfig, *, version: int | None = None
    ) -> TenantConfig:
        """Change the configuration of a company: objects merge, lists are replaced.

        New rates apply to the sums that are computed from then on; stored values stay.

        Raises: NotFoundError; ConflictError when a currency that records have is removed, or `version` differs;
        ValidationError, including for an unknown time zone, language or currency, and for networks (``LOCKOUT``) that
        the caller is not in.
        """


class TenantFeatureSwitches(Resource[Mode]):
    """The services of the platform that a company has."""

    @operation(platform=f"GET {_TENANT}/features", texts=_ID)
    def get(self, tenant_id: str) -> TenantFeatures:
        """List the services of the platform, and which of them are on.

        Raises: NotFoundError.
        """

    @operation(
        platform=f"PUT {_TENANT}/features",
        texts=_ID,
        errors=("FEATURE_NOT_IN_PLAN", "FEATURE_REQUIRED", "TENANT_CANCELLED"),
    )
    def update(self, tenant_id: str, features: FeatureSwitches) -> TenantFeatures:
        """Switch services on or off, at once: the calls of one that is off are refused with ``FEATURE_DISABLED``.

        Raises: NotFoundError; PermissionDeniedError for a service that the plan does not include; ValidationError for
        an unknown one, and for one that cannot be switched off.
        """


class TenantLimitValues(Resource[Mode]):
    """How much of something a company may have."""

    @operation(platform=f"GET {_TENANT}/limits", texts=_ID)
    def get(self, tenant_id: str) -> TenantLimits:
        """List the limits of a company, with how much of each is used.

        Raises: NotFoundError.
        """

    @operation(
        platform=f"PUT {_TENANT}/limits",
        texts=_ID,
        errors=("LIMIT_ABOVE_PLAN", "LIMIT_BELOW_USAGE", "TENANT_CANCELLED"),
    )
    def update(self, tenant_id: str, limits: LimitValues) -> TenantLimits:
        """Set limits below those of the plan; null goes back to the plan's.

        Raises: NotFoundError; ConflictError for a limit below what is used; ValidationError for an unknown limit, and
        for one above the plan's.
        """


class TenantBilling(Resource[Mode]):
    """What a company pays, and how."""

    @operation(platform=f"GET {_TENANT}/billing", texts=_ID)
    def get(self, tenant_id: str) -> Billing:
        """Fetch what a company pays, and how.

        Raises: NotFoundError.
        """

    @operation(
        platform=f"PUT {_TENANT}/billing",
        texts=_ID,
        errors=("PAYMENT_METHOD_DECLINED", "SEATS_IN_USE", "TENANT_CANCELLED"),
    )
    def update(self, tenant_id: str, changes: BillingUpdate | Billing, *, version: int | None = None) -> Billing:
        """Change what a company pays, and how. Open invoices are paid with a new card or bank account.

        The test tokens are ``tok_visa``, ``tok_mastercard``, ``tok_bank``, ``tok_invoice`` and ``tok_declined``.

        Raises: NotFoundError; ConflictError for fewer seats than active users, or when `version` differs;
        ValidationError, including for a payment method that is declined.
        """

    @operation(
        platform=f"POST {_TENANT}/billing/upgrade",
        texts={
            **_ID,
            "plan": "The new plan.",
            "cycle": "The new cycle, by default the present one.",
            "seats": "The number of users to pay for, by default as many as now.",
        },
        errors=(
            "PAYMENT_METHOD_REQUIRED", "PLAN_UNCHANGED", "SEATS_IN_USE", "TENANT_CANCELLED", "USAGE_EXCEEDS_PLAN",
        ),
    )  # fmt: skip
    def upgrade(
        self, tenant_id: str, plan: PlanName, *, cycle: BillingCycle | None = None, seats: Seats | None = None
    ) -> BillingUpgrade:
        """Change the plan: a greater one begins at once, a smaller one at the end of the period.

        Of a greater one the rest of the period is paid, by days. The present plan and cycle take back a change to come.

        Raises: NotFoundError; ConflictError for the present plan and cycle, without a payment method, for a plan whose
        limits are below what is used (`details["limits"]`), and for fewer seats than active users; ValidationError.
        """


class TenantInvoices(Resource[Mode]):
    """The invoices of a company."""

    @paginated(platform=f"GET {_TENANT}/invoices", texts=_ID)
    def list(
        self,
        tenant_id: str,
        *,
        status: InvoiceStatus | None = None,
        sort: InvoiceSort | None = None,
        **common: Unpack[DatedSorting],
    ) -> Page[Invoice]:
        """List the invoices of a company, the newest first; each has the address of its PDF.

        Raises: NotFoundError; ValidationError.
        """


class Tenants(Resource[Mode]):
    """The caller's company, and those that it manages."""

    config: TenantConfigs[Mode] = part(TenantConfigs)
    features: TenantFeatureSwitches[Mode] = part(TenantFeatureSwitches)
    limits: TenantLimitValues[Mode] = part(TenantLimitValues)
    billing: TenantBilling[Mode] = part(TenantBilling)
    invoices: TenantInvoices[Mode] = part(TenantInvoices)

    @operation(
        platform="POST /tenants",
        status=201,
        errors=("CURRENCY_IN_USE", "PAYMENT_METHOD_REQUIRED", "TENANT_EXISTS"),
    )
    def create(self, tenant: TenantCreate) -> Tenant:
        """Found a company that the caller's company manages; seconds later its data are set up, and it is active.

        It begins with the plan free, a pipeline and its first admin, who is invited. The company that manages it has
        its record, configuration, features, limits and billing, but none of its data.

        Raises: ConflictError for a slug that is taken, or a plan that has to be paid for; ValidationError.
        """

    @operation(platform=f"GET {_TENANT}", texts=_ID)
    def get(self, tenant_id: str) -> Tenant:
        """Fetch one company.

        Raises: NotFoundError, also for a company that the caller's does not manage.
        """

    @operation(platform=f"PUT {_TENANT}", texts=_ID, errors=("CURRENCY_IN_USE", "TENANT_CANCELLED"))
    def update(self, tenant_id: str, changes: TenantUpdate | Tenant, *, version: int | None = None) -> Tenant:
        """Change a company. With another base currency the rates of the others are converted.

        Raises: NotFoundError; ConflictError for another base currency once there is a deal, for a company that was
        ended, or when `version` differs; ValidationError, including for another slug, region or plan.
        """

    @operation(
        platform=f"DELETE {_TENANT}",
        texts={**_ID, "confirm": "The slug of the company."},
        errors=("CONFIRMATION_REQUIRED", "INVOICE_OPEN", "TENANT_CANCELLED"),
    )
    def delete(self, tenant_id: str, *, confirm: str | None = None) -> Tenant:
        """End a company: its sessions and API keys end at once, its data are purged after 30 days; its record stays.

        Raises: NotFoundError; ValidationError unless `confirm` is its slug; ConflictError for a company with an open
        invoice, or one that was ended before.
        """

    @operation(platform=f"GET {_TENANT}/usage", texts=_ID)
    def usage(self, tenant_id: str, **common: Unpack[Range]) -> TenantUsage:
        """Count the calls that a company made in a range of days, by default this month, and what it has.

        Days are those of the company's time zone; `period` is that of the points of `api_calls`, by default a day.

        Raises: NotFoundError; ValidationError for a range that ends before it starts.
        """

    @paginated(platform="GET /tenants")
    def list(
        self,
        *,
        status: TenantStatus | None = None,
        plan: PlanName | None = None,
        sort: TenantSort | None = None,
        **common: Unpack[Listing],
    ) -> Page[Tenant]:
        """List the caller's company, and after it those that it manages.

        Raises: ValidationError for a limit out of bounds or a member that cannot be sorted by.
        """
