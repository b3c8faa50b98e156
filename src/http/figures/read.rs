//! All figures of an organization, read at once.

use super::amounts::{Amount, Sums, usual_currency};
use super::donors::{Cohort, DonorYear, Returning, Years};
use super::recurring::{self, PlanMonth};
use super::spans;
use crate::clock;
use crate::domain::{Time, Zone};
use crate::entities::Entity;
use crate::store::{Band, Cell, Error, Organization, People, Report, Span, Store};
use chrono::NaiveDate;

/// So many whole months are shown before the one that is going on.
const MONTHS: u32 = 24;
/// Campaigns that are shown, those that raised most.
const CAMPAIGNS: u64 = 20;
/// Sizes of gifts are of the last year: so many days.
const SIZES_OF: i64 = 365;

/// A span so far, and the same days of last year.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in super::super) struct Compared {
    /// So far.
    pub(in super::super) now: Amount,
    /// The same days of last year.
    pub(in super::super) before: Amount,
}

/// What came in during one month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct GivingMonth {
    /// Its first day.
    pub(in super::super) first: NaiveDate,
    /// Given once.
    pub(in super::super) once: Amount,
    /// By plans.
    pub(in super::super) by_plans: Amount,
    /// It is not over.
    pub(in super::super) is_going_on: bool,
}

impl GivingMonth {
    /// Both.
    pub(in super::super) fn all(&self) -> Amount {
        self.once.plus(self.by_plans)
    }
}

/// Everything.
#[derive(Debug, Clone)]
pub(in super::super) struct Figures {
    /// When it was read.
    pub(in super::super) at: Time,
    /// The currency of all amounts; empty where nobody tells it.
    pub(in super::super) currency: String,
    /// Whose days, months and years.
    pub(in super::super) zone: Zone,
    /// Today so far.
    pub(in super::super) today: Compared,
    /// This month so far.
    pub(in super::super) month: Compared,
    /// This year so far.
    pub(in super::super) year: Compared,
    /// This year so far in other currencies.
    pub(in super::super) others: Vec<(String, Amount)>,
    /// The earliest first; from the first one with a gift on.
    pub(in super::super) months: Vec<GivingMonth>,
    /// The earliest first.
    pub(in super::super) years: Vec<DonorYear>,
    /// This year so far, and last year up to the same day.
    pub(in super::super) returning: [Returning; 2],
    /// By the year of the first gift.
    pub(in super::super) cohorts: Vec<Cohort>,
    /// The earliest first.
    pub(in super::super) plans: Vec<PlanMonth>,
    /// Gifts of the last year by size, in `currency`.
    pub(in super::super) sizes: Vec<Band>,
    /// Rows of the view.
    pub(in super::super) value: Vec<Vec<Cell>>,
    /// Rows of the view.
    pub(in super::super) engagement: Vec<Vec<Cell>>,
    /// Rows of the view.
    pub(in super::super) campaigns: Vec<Vec<Cell>>,
    /// How many people.
    pub(in super::super) people: People,
    /// Records that are stored and still at the source.
    pub(in super::super) stored: Vec<(Entity, u64)>,
    /// When a run last brought anything new.
    pub(in super::super) last_change_at: Option<Time>,
}

impl Figures {
    /// Reads them.
    pub(in super::super) async fn read(store: Store, classy_id: i64) -> Result<Figures, Error> {
        let Some(organization) = store.organization(classy_id).await? else {
            return Err(Error::NoOrganization);
        };
        Figures::of(&store, &organization, clock::now()).await
    }

    async fn of(store: &Store, organization: &Organization, now: Time) -> Result<Figures, Error> {
        let (tenant, classy_id) = (store.tenant(organization), organization.classy_id);
        let zone = Zone::of(organization.timezone.as_deref());
        let months = recurring::last_months(MONTHS, now, zone);
        let pairs = [
            spans::today(now, zone),
            spans::month_to_date(now, zone),
            spans::year_to_date(now, zone),
        ];
        let end = |place: usize| months.get(place + 1).map_or(now, |(_, next)| *next);
        let by_month = months.iter().enumerate();
        let by_month = by_month.map(|(place, (_, start))| (*start, end(place)));
        let spans: Vec<Span> = pairs.iter().flatten().copied().chain(by_month).collect();
        let sums = tenant.sums(&spans).await?;
        let currency = organization
            .currency_code
            .clone()
            .filter(|code| !code.is_empty())
            .unwrap_or_else(|| usual_currency(&sums));
        let sums = Sums::of(sums, &currency);
        let compared = |pair: usize| Compared {
            now: sums.at(2 * pair),
            before: sums.at(2 * pair + 1),
        };
        let first_of_months = 2 * pairs.len();
        let giving = months.iter().enumerate().map(|(place, (first, _))| {
            let [once, by_plans] = sums.parts(first_of_months + place);
            GivingMonth {
                first: *first,
                once,
                by_plans,
                is_going_on: place + 1 == months.len(),
            }
        });
        let years = Years::upto(now, tenant.first_gift_at().await?, zone);
        let patterns = tenant.giving_patterns(years.spans()).await?;
        let sizes = (now - chrono::TimeDelta::days(SIZES_OF), now);
        let mut sizes = tenant.gift_sizes(sizes).await?;
        sizes.retain(|band| band.currency.as_deref().is_none_or(|of| of == currency));
        let mut stored = Vec::new();
        for entity in Entity::ALL {
            stored.push((entity, tenant.count(entity).await?));
        }
        let only = Some(classy_id);
        Ok(Figures {
            at: now,
            zone,
            today: compared(0),
            month: compared(1),
            year: compared(2),
            others: sums.others(4),
            months: giving.skip_while(|month| month.all().gifts == 0).collect(),
            years: years.donors(&patterns),
            returning: years.returning(&patterns),
            cohorts: years.cohorts(&patterns),
            plans: recurring::months(&tenant.plans().await?, &currency, &months, now),
            sizes,
            value: store.report(Report::Donors, only, 0, 100).await?,
            engagement: store.report(Report::Engagement, only, 0, 100).await?,
            campaigns: store.report(Report::Campaigns, only, 0, CAMPAIGNS).await?,
            people: tenant.people().await?,
            stored,
            last_change_at: tenant.last_change_at().await?,
            currency,
        })
    }

    /// How many records of a kind are stored.
    pub(in super::super) fn stored(&self, entity: Entity) -> u64 {
        let found = self.stored.iter().find(|(other, _)| *other == entity);
        found.map_or(0, |(_, count)| *count)
    }
}
