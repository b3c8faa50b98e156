//! The list of the kinds of record: a new one is a line here.

/// Hands the list to a macro. Its order is the order of a first load: parents before children.
macro_rules! each_entity {
    ($use:ident) => {
        $use! {
            /// A person, as one organization knows them.
            Supporters: Supporter of supporter,
            /// A page that raises money.
            Campaigns: Campaign of campaign,
            /// What money is given for.
            Designations: Designation of designation,
            /// A person's own page, on which others give to a campaign.
            FundraisingPages: FundraisingPage of fundraising_page,
            /// A promise to give again and again.
            RecurringPlans: RecurringPlan of recurring_plan,
            /// A gift, a ticket, a refund.
            Transactions: Transaction of transaction,
        }
    };
}

pub(super) use each_entity;
