"""Images, declared: promoting, rolling back and cleaning up."""

from __future__ import annotations

from slipway.bot.operations.declarations import Subject, SubjectContext
from slipway.bot.subjects.images.adopting import declared as adopting
from slipway.bot.subjects.images.adopting.problems import SOURCE as FOREIGN_CHANGES
from slipway.bot.subjects.images.adopting.services import adopting_services
from slipway.bot.subjects.images.alarms.looking import SOURCES
from slipway.bot.subjects.images.alarms.settings import ALARMS, alarm_summary
from slipway.bot.subjects.images.announcing import declared as announcing
from slipway.bot.subjects.images.catalogue import Catalogue
from slipway.bot.subjects.images.cleaning_up import declared as cleaning_up
from slipway.bot.subjects.images.contents.comparing import Contents
from slipway.bot.subjects.images.contents.settings import CONTENTS
from slipway.bot.subjects.images.evidence import declared as evidence_parts
from slipway.bot.subjects.images.evidence.services import evidence_services
from slipway.bot.subjects.images.families import FAMILY, FAMILY_PROBE, family_summary
from slipway.bot.subjects.images.history import RollbackHistory
from slipway.bot.subjects.images.holds import declared as hold_parts
from slipway.bot.subjects.images.holds.services import hold_services
from slipway.bot.subjects.images.promoting import declared as promoting
from slipway.bot.subjects.images.protecting import declared as protecting
from slipway.bot.subjects.images.publishing import declared as publishing
from slipway.bot.subjects.images.replication import declared as replication
from slipway.bot.subjects.images.replication.services import replication_services
from slipway.bot.subjects.images.reporting.declared import SECTIONS
from slipway.bot.subjects.images.restoring import declared as restoring
from slipway.bot.subjects.images.restoring.kept import KeptReader
from slipway.bot.subjects.images.restoring.services import RestoringServices
from slipway.bot.subjects.images.revoking import declared as revoking_parts
from slipway.bot.subjects.images.rolling_back import declared as rolling_back
from slipway.bot.subjects.images.rules import declared as rules
from slipway.bot.subjects.images.rules.gathering import PromotionRules
from slipway.bot.subjects.images.rules.settings import PROMOTION
from slipway.bot.subjects.images.services import ImageServices
from slipway.bot.subjects.images.timeline.charts import Charts
from slipway.bot.subjects.images.usage.reading import UsageReader
from slipway.bot.subjects.images.uses import uses
from slipway.bot.subjects.images.watching import declared as watching


def _services(context: SubjectContext) -> ImageServices:
    catalogue, evidence, holds = Catalogue(context.clouds), evidence_services(context), hold_services(context)
    retention = context.settings.table(cleaning_up.RETENTION)
    contents = Contents(context.settings.table(CONTENTS))
    survey, foreign = watching.survey(context), adopting_services(context)
    return ImageServices(
        clouds=context.clouds,
        catalogue=catalogue,
        history=RollbackHistory(context.operations),
        retention=retention,
        clock=context.clock,
        polling=context.polling,
        charts=Charts(context.settings.state_dir / "matplotlib"),
        evidence=evidence,
        holds=holds,
        rules=PromotionRules(
            catalogue,
            evidence,
            context.settings.named(PROMOTION),
            holds=holds.store,
            contents=contents,
        ),
        replication=replication_services(context, catalogue, evidence, holds.store),
        usage=UsageReader(context.clouds, retention.spare_launched_within, context.clock),
        restoring=RestoringServices(
            KeptReader(context.clouds, retention.keep_disabled, context.clock),
            context.operations,
            contents,
            retention,
            context.settings.commands.prefix,
        ),
        publisher=publishing.publisher(context, catalogue),
        survey=survey,
        watcher=watching.watcher(context, survey, foreign.store),
        adopting=foreign,
        alarms=context.settings.named(ALARMS),
        announcements=announcing.announcement_store(context),
    )


IMAGES_SUBJECT: Subject[ImageServices] = Subject(
    name="images",
    title="Images",
    services=_services,
    kinds=(
        *promoting.KINDS,
        *rolling_back.KINDS,
        *cleaning_up.KINDS,
        *restoring.KINDS,
        *evidence_parts.KINDS,
        *hold_parts.KINDS,
        *revoking_parts.KINDS,
        *replication.KINDS,
        *rules.KINDS,
        *adopting.KINDS,
    ),
    steps=(
        *promoting.STEPS,
        *cleaning_up.STEPS,
        *protecting.STEPS,
        *announcing.STEPS,
        *restoring.STEPS,
        *evidence_parts.STEPS,
        *hold_parts.STEPS,
        *replication.STEPS,
        *adopting.STEPS,
    ),
    tables=(
        *cleaning_up.TABLES,
        FAMILY,
        *rules.TABLES,
        *replication.TABLES,
        *publishing.TABLES,
        *watching.TABLES,
        ALARMS,
    ),
    summary=lambda settings: (
        *family_summary(settings),
        *rules.summary(settings),
        *replication.summary(settings),
        *publishing.summary(settings),
        *watching.summary(settings),
        *alarm_summary(settings),
    ),
    uses=uses,
    probes=(FAMILY_PROBE, *publishing.PROBES, *watching.PROBES),
    watches=(*announcing.WATCHES, *publishing.WATCHES, *watching.WATCHES, *replication.WATCHES),
    problems=(*SOURCES, FOREIGN_CHANGES),
    sections=SECTIONS,
)
