"""The year of year.rs through the Python package NREL-PySAM (module Utilityrate5): the same bills, the same output.

Every way of settling prints the amounts of its months under the name that year.rs uses; the last line is the
number of months priced in a second by one core, loading the hours and pricing them, least of several runs.
"""

import json
import sys
import time
from pathlib import Path

import PySAM.Utilityrate5 as Utilityrate

NO_BOUND = 1e38
# Ways of settling by the numbers of the module.
NET_METERING, NET_BILLING, BUY_ALL_SELL_ALL = 0, 2, 4


def day(year, weekday):
    first, end = year["day"]
    return [2 if weekday and first <= hour < end else 1 for hour in range(24)]


def model(year, option, sun=None, tiers=True):
    """One year of the house, nothing but energy charged."""
    model = Utilityrate.new()
    model.Lifetime.analysis_period = 1
    model.Lifetime.inflation_rate = 0
    model.Lifetime.system_use_lifetime_output = 0
    model.SystemOutput.degradation = [0]
    model.Load.load = [wh / 1000 for wh in year["load"]]
    model.SystemOutput.gen = [wh / 1000 for wh in sun or [0] * len(year["load"])]
    rates = model.ElectricityRates
    rates.en_electricity_rates = 1
    rates.rate_escalation = [0]
    rates.ur_metering_option = option
    rates.ur_nm_yearend_sell_rate = 0
    rates.ur_nm_credit_month = 11
    rates.ur_nm_credit_rollover = 0
    rates.ur_monthly_fixed_charge = 0
    rates.ur_monthly_min_charge = 0
    rates.ur_annual_min_charge = 0
    rates.ur_sell_eq_buy = 0
    rates.ur_en_ts_sell_rate = rates.ur_en_ts_buy_rate = 0
    rates.ur_ts_sell_rate = rates.ur_ts_buy_rate = [0]
    rates.ur_dc_enable = 0
    rates.ur_ec_sched_weekday = [day(year, True)] * 12
    rates.ur_ec_sched_weekend = [day(year, False)] * 12
    rows = []
    for period, prices in enumerate(year["prices"], 1):
        sell = float(year["sell"][period - 1])
        bounds = [bound / 1000 for bound in year["bounds"]] + [NO_BOUND]
        if not tiers:
            bounds, prices = [NO_BOUND], prices[:1]
        for tier, (bound, price) in enumerate(zip(bounds, prices), 1):
            rows.append([period, tier, bound, 0, float(price), sell])
    rates.ur_ec_tou_mat = rows
    return model


def with_demand(model, year, by_period):
    rates = model.ElectricityRates
    rates.ur_dc_enable = 1
    rates.ur_dc_sched_weekday = rates.ur_ec_sched_weekday
    rates.ur_dc_sched_weekend = rates.ur_ec_sched_weekend
    rates.ur_dc_flat_mat = [[month, 1, NO_BOUND, float(year["demand"])] for month in range(12)]
    bounds = [year["demand_bound"] / 1000, NO_BOUND]
    rates.ur_dc_tou_mat = [
        [period, tier, bound, float(price) if by_period else 0]
        for period, prices in enumerate(year["period_demand"], 1)
        for tier, (bound, price) in enumerate(zip(bounds, prices), 1)
    ]
    rates.ur_enable_billing_demand = 0
    return model


def show(name, months):
    print(name, *(repr(float(month)) for month in months))


def tiers(year):
    whole = with_demand(model(year, NET_BILLING), year, True)
    rates = whole.ElectricityRates
    rates.ur_monthly_fixed_charge = float(year["fixed"])
    rates.ur_monthly_min_charge = float(year["minimum"])
    whole.execute()
    out = whole.Outputs
    for item, months in {
        "energy": out.year1_monthly_ec_charge_with_system,
        "demand": out.year1_monthly_dc_fixed_with_system,
        "demand-by-period": out.year1_monthly_dc_tou_with_system,
        "fixed": out.year1_monthly_fixed_with_system,
        "minimum": out.year1_monthly_minimum_with_system,
        "bill": out.year1_monthly_utility_bill_w_sys,
    }.items():
        show(f"tiers-by-time.{item}", months)
    shared = model(year, NET_METERING)
    shared.execute()
    show("tiers-in-proportion.energy", shared.Outputs.year1_monthly_ec_charge_with_system)


def exports(year):
    for name, option in {"net-billing": NET_BILLING, "buy-all-sell-all": BUY_ALL_SELL_ALL}.items():
        settled = model(year, option, year["sun"])
        settled.execute()
        show(f"{name}.energy", settled.Outputs.year1_monthly_ec_charge_with_system)


def net_metering(year):
    banked = model(year, NET_METERING, year["sun"], tiers=False)
    banked.ElectricityRates.ur_nm_yearend_sell_rate = float(year["cash_out"])
    banked.execute()
    out = banked.Outputs
    show("net-metering.energy", out.year1_monthly_ec_charge_with_system)
    show("net-metering.bank-of-all", out.year1_monthly_cumulative_excess_generation)
    show("net-metering.left-in-the-banks", [out.year1_excess_kwhs_earned[-1], out.year1_true_up_credits[-1]])


def ratchet(year):
    held = with_demand(model(year, NET_METERING), year, False)
    days = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    month_of = [month for month, days in enumerate(days) for _ in range(days * 24)]
    held.Load.load = [
        wh * (month * 5 % 12 + 1) // 12 / 1000 for wh, month in zip(year["load"], month_of)
    ]
    rates = held.ElectricityRates
    rates.ur_enable_billing_demand = 1
    rates.ur_billing_demand_minimum = 0
    rates.ur_billing_demand_lookback_period = 11
    rates.ur_billing_demand_lookback_percentages = [[float(year["ratchet"]) * 100, 1]] * 12
    rates.ur_dc_billing_demand_periods = [[1, 1], [2, 1]]
    rates.ur_yearzero_usage_peaks = [0] * 12
    held.execute()
    show("ratchet.demand", held.Outputs.year1_monthly_dc_fixed_with_system)


def speed(year):
    sums = dict(year)
    sums["prices"] = [
        [(rate + tier) / 10000 for tier in year["tier_prices"]] for rate in year["rate_prices"]
    ]
    timed = with_demand(model(sums, NET_BILLING), sums, True)
    rates = timed.ElectricityRates
    rates.ur_monthly_fixed_charge = float(year["fixed"])
    rates.ur_monthly_min_charge = float(year["minimum"])
    load = [wh / 1000 for wh in year["load"]]
    least = float("inf")
    for _ in range(300):
        begin = time.perf_counter()
        timed.Load.load = load
        timed.execute()
        least = min(least, time.perf_counter() - begin)
    print("speed.months-a-second", 12 / least)
    show("speed.january", timed.Outputs.year1_monthly_utility_bill_w_sys[:1])


def main():
    year = json.loads(Path(sys.argv[1], "year.json").read_text())
    tiers(year)
    exports(year)
    net_metering(year)
    ratchet(year)
    speed(year)


main()
