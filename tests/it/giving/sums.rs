//! What the views should say, summed here from the same gifts.

use super::*;

/// Sums of these gifts: how many, and what.
#[derive(Default)]
pub(super) struct Sums {
    gifts: i64,
    amount: Decimal,
    recurring: Decimal,
    donated: Decimal,
    other: Decimal,
    net: Decimal,
    nobodys: i64,
    refunds: i64,
    refunded: Decimal,
    donors: BTreeSet<i64>,
}

pub(super) fn by_month(charity: &Charity) -> Vec<String> {
    let mut months: BTreeMap<(String, i64), Sums> = BTreeMap::new();
    for (gift, amount, month, year) in charity.counted() {
        let sums = months.entry((month, year)).or_default();
        sums.gifts += 1;
        sums.amount += amount;
        let of = |part: Option<Money>| part.map_or(Decimal::ZERO, Money::decimal);
        sums.donated += of(gift.donation_gross_amount);
        sums.other += gift
            .donation_gross_amount
            .map_or(Decimal::ZERO, |part| amount - part.decimal());
        sums.net += of(gift.donation_net_amount);
        if gift.recurring_plan_id.is_some() {
            sums.recurring += amount;
        }
        sums.nobodys += i64::from(gift.supporter_id.is_none());
        sums.donors.extend(gift.supporter_id);
    }
    for gift in &charity.gifts {
        let amount = gift.total_gross_amount.unwrap().decimal();
        if gift.status == "refunded" && amount > Decimal::ZERO {
            let day = charity.day(gift.purchased_at.unwrap());
            let month = day.format("%Y-%m").to_string();
            let sums = months.entry((month, charity.fiscal_year(day))).or_default();
            sums.refunds += 1;
            sums.refunded += amount;
        }
    }
    let row = |((month, year), sums): ((String, i64), Sums)| {
        let amount = |amount: Decimal| amount.normalize().to_string();
        [
            month,
            year.to_string(),
            sums.gifts.to_string(),
            amount(sums.amount),
            amount(sums.recurring),
            amount(sums.donated),
            amount(sums.other),
            amount(sums.net),
            sums.donors.len().to_string(),
            sums.nobodys.to_string(),
            sums.refunds.to_string(),
            amount(sums.refunded),
        ]
        .join(" ")
    };
    let mut rows: Vec<String> = months.into_iter().map(row).collect();
    rows.sort();
    rows
}

/// What donors did in each fiscal year up to this one: new, kept, regained, lost, with amounts.
pub(super) fn retention(charity: &Charity) -> Vec<String> {
    let this = charity.this_year();
    let mut found: BTreeMap<i64, [(i64, Decimal); 4]> = BTreeMap::new();
    for years in charity.years().values() {
        let mut before: Option<(i64, Decimal)> = None;
        for (&year, &amount) in years {
            let which = match before {
                None => 0,
                Some((last, _)) if last == year - 1 => 1,
                Some(_) => 2,
            };
            let mut add = |year: i64, which: usize, amount: Decimal| {
                let entry = &mut found.entry(year).or_default()[which];
                *entry = (entry.0 + 1, entry.1 + amount);
            };
            add(year, which, amount);
            if !years.contains_key(&(year + 1)) && year < this {
                add(year + 1, 3, amount);
            }
            before = Some((year, amount));
        }
    }
    let row = |(year, sums): (i64, [(i64, Decimal); 4])| {
        let mut cells = vec![year.to_string(), i64::from(year < this).to_string()];
        cells.extend(sums.iter().map(|(count, _)| count.to_string()));
        cells.extend(
            sums.iter()
                .map(|(_, amount)| amount.normalize().to_string()),
        );
        cells.join(" ")
    };
    found.into_iter().map(row).collect()
}

pub(super) fn cohorts(charity: &Charity) -> Vec<String> {
    let mut found: BTreeMap<(i64, i64), (i64, Decimal)> = BTreeMap::new();
    for years in charity.years().values() {
        let first = *years.keys().next().unwrap();
        for (&year, &amount) in years {
            let entry = found.entry((first, year)).or_default();
            *entry = (entry.0 + 1, entry.1 + amount);
        }
    }
    let size = |first: i64| found[&(first, first)].0;
    found
        .iter()
        .map(|((first, year), (donors, amount))| {
            let (since, size) = (year - first, size(*first));
            format!(
                "{first} {year} {since} {size} {donors} {}",
                amount.normalize()
            )
        })
        .collect()
}

/// Who gave in the year before this one, or in any, and not in this.
pub(super) fn unfortunately(charity: &Charity, only_last: bool) -> Vec<String> {
    let this = charity.this_year();
    let people = charity.years().into_iter().filter_map(|(person, years)| {
        let (last, amount) = years.into_iter().next_back()?;
        let is_meant = if only_last {
            last == this - 1
        } else {
            last < this
        };
        is_meant.then(|| format!("{person} {last} {}", amount.normalize()))
    });
    let mut rows: Vec<String> = people.collect();
    rows.sort();
    rows
}

pub(super) fn rfm(charity: &Charity) -> Vec<String> {
    let mut people: BTreeMap<i64, (NaiveDate, i64, Decimal)> = BTreeMap::new();
    for (gift, amount, _, _) in charity.counted() {
        let day = charity.day(gift.purchased_at.unwrap());
        if let Some(person) = gift.supporter_id {
            let entry = people.entry(person).or_insert((day, 0, Decimal::ZERO));
            *entry = (entry.0.max(day), entry.1 + 1, entry.2 + amount);
        }
    }
    let count = people.len();
    let today = charity.day(chrono::Utc::now());
    let mut rows: Vec<String> = people
        .iter()
        .map(|(person, one)| {
            let score = |before: usize| 1 + 5 * before / count;
            let recency = score(people.values().filter(|other| other.0 < one.0).count());
            let frequency = score(people.values().filter(|other| other.1 < one.1).count());
            let monetary = score(people.values().filter(|other| other.2 < one.2).count());
            let days = (today - one.0).num_days();
            format!(
                "{person} {days} {} {} {recency}{frequency}{monetary}",
                one.1,
                one.2.normalize()
            )
        })
        .collect();
    rows.sort();
    rows
}
