//! The numbered parts of a point: one row per number, with its names.

use crate::language::Language;

macro_rules! numbered {
    ($(#[$doc:meta])* $name:ident { $($(#[$cdoc:meta])* $const:ident = $value:literal $english:literal $chinese:literal;)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u8);
        impl $name {
            $($(#[$cdoc])* pub const $const: Self = Self($value);)*
            /// The name for people, `None` for a number without one.
            #[must_use]
            pub const fn name(self, language: Language) -> Option<&'static str> {
                match self.0 {
                    $($value => Some(language.pick($english, $chinese)),)*
                    _ => None,
                }
            }
        }
    };
}

numbered! {
    /// Which conductor or pair of conductors, bits 7-10 of a point.
    Phase {
        /// Total or none.
        TOTAL = 0 "total" "总";
        /// First phase.
        L1 = 1 "L1" "A相";
        /// Second phase.
        L2 = 2 "L2" "B相";
        /// Third phase.
        L3 = 3 "L3" "C相";
        /// Neutral.
        N = 4 "N" "零线";
        /// Between first and second phase.
        L1L2 = 5 "L1-L2" "AB线";
        /// Between second and third phase.
        L2L3 = 6 "L2-L3" "BC线";
        /// Between third and first phase.
        L3L1 = 7 "L3-L1" "CA线";
        /// Direct current.
        DC = 8 "DC" "直流";
        /// Earth.
        EARTH = 9 "earth" "地";
    }
}
numbered! {
    /// Direction of energy flow or quadrant, bits 11-13 of a point.
    Direction {
        /// Net, or the first combination of a meter.
        NET = 0 "net" "组合";
        /// Import, forward.
        IMPORT = 1 "import" "正向";
        /// Export, reverse.
        EXPORT = 2 "export" "反向";
        /// Quadrant I.
        QUADRANT_1 = 3 "quadrant I" "第一象限";
        /// Quadrant II.
        QUADRANT_2 = 4 "quadrant II" "第二象限";
        /// Quadrant III.
        QUADRANT_3 = 5 "quadrant III" "第三象限";
        /// Quadrant IV.
        QUADRANT_4 = 6 "quadrant IV" "第四象限";
        /// The second combination of a meter.
        COMBINATION_2 = 7 "second combination" "第二组合";
    }
}
numbered! {
    /// How the value was formed, bits 20-23 of a point.
    Statistic {
        /// Instantaneous value, or the running register.
        NATURAL = 0 "" "";
        /// Mean of the interval.
        MEAN = 1 "mean" "平均值";
        /// Minimum of the interval.
        MINIMUM = 2 "minimum" "最小值";
        /// Maximum of the interval.
        MAXIMUM = 3 "maximum" "最大值";
        /// Running demand.
        RUNNING_DEMAND = 4 "running demand" "当前需量";
        /// Maximum demand.
        MAXIMUM_DEMAND = 5 "maximum demand" "最大需量";
        /// Difference over the interval.
        DIFFERENCE = 6 "difference" "区间用量";
        /// Since the start of the day.
        DAY = 7 "since start of day" "当日";
        /// Since the start of the month.
        MONTH = 8 "since start of month" "当月";
        /// Since the start of the year.
        YEAR = 9 "since start of year" "当年";
        /// When the maximum occurred.
        TIME_OF_MAXIMUM = 10 "time of maximum" "最大值发生时间";
        /// A limit or setting.
        LIMIT = 11 "limit" "限值";
    }
}
