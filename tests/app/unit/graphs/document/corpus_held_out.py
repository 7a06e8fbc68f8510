"""The held-out split, the seventh draw: words and layouts that were written after the extractor was last frozen.

Four layouts each of invoices, receipts and contracts: labels with values, tables with and without bars, and
running text. No company, ware, layout or sentence is one of the splits before.
"""

# fmt: off
# ruff: noqa: E501 (a layout is compared with the text it makes most easily when a printed line is a line here)

from corpus_content import Content, Vocabulary
from corpus_style import Style

WORDS = Vocabulary(
    companies=(
        "Granite Peak Engineering Inc.", "Moreau Traductions SARL", "Holloway & Pratt Architects", "Isar Kliniktechnik GmbH", "Blue Spruce Nursery LLC", "City of Larkfield",
        "Torvik Fiskeri AS", "Lanterna Film S.r.l.", "Hopewell Community Trust", "Quarry Bank Foods Ltd", "Apex Diving Supplies Co.", "St. Brendan's College",
        "Vela Aerostructures S.A.", "Northgate Print & Copy Ltd",
    ),
    shops=("Copper Kettle Tearoom", "Larkfield Hardware", "Sole Mates Shoe Repair", "Pixel Arcade", "Harvest Moon Bakery"),
    wares=("Drafting stool", "Regulator hose", "Sapling, oak 150 cm", "Film canister", "Frozen cod, 5 kg", "Toner, black", "Rivet gun", "Monitor stand"),
    groceries=("Scone with jam", "Wall hooks", "Heel tips", "Game token", "Walnut bread", "Earl Grey", "Paint brush 2in", "Shoe cream", "Carrot cake"),
    services=("Structural drawings", "Subtitling", "Tree pruning", "Ultrasound calibration", "Poster printing", "Diving course", "Stress analysis", "Menu translation"),
    phases=("Feasibility report", "Planting", "Calibration visit", "Dubbing", "Frame assembly", "Opening event", "Evaluation"),
)

MONEYS = {
    "USD": ((",", ".", "{symbol}{amount}"), (",", ".", "{amount} USD"), (",", ".", "US${amount}"), ("", ".", "USD {amount}")),
    "EUR": ((".", ",", "{amount} {symbol}"), (".", ",", "{amount} EUR"), (" ", ",", "EUR {amount}"), (",", ".", "{symbol} {amount}"), ("", ",", "{amount} {symbol}")),
    "GBP": ((",", ".", "{symbol}{amount}"), (",", ".", "{amount} GBP"), ("", ".", "{symbol} {amount}")),
}
DATES = {
    "USD": ("{month} {d}, {y}", "{mon} {d} {y}", "{m}/{d}/{y}", "{y}-{m:02}-{d:02}"),
    "EUR": ("{d:02}.{m:02}.{y}", "{d} {month} {y}", "{d:02}/{m:02}/{y}", "{d} {mon}. {y}"),
    "GBP": ("{d:02}/{m:02}/{y}", "{d} {month} {y}", "{ordinal} of {month}, {y}", "{d:02} {mon} {y}"),
}


def engineering(c: Content, s: Style) -> str:
    """Remittance block first, rows with a date and a code, sums with dots."""
    lines = [f"REMIT TO: {c.seller}, 700 Summit Blvd", "", f"INVOICE TO: {c.buyer}", f"INVOICE NUMBER: {c.number}", f"INVOICE DATE: {s.day(c.issue)}", f"DUE ON: {s.day(c.due)}", "",
             f"{'CODE':<10}{'ACTIVITY':<30}{'HRS':>6}{'RATE':>14}{'TOTAL':>16}"]
    lines += [f"{f'E-{n}00':<10}{i.description:<30}{s.count(i.quantity):>6}{s.bare(i.unit_price):>14}{s.bare(i.amount):>16}" for n, i in enumerate(c.items, 1)]
    lines += ["", f"Subtotal .................... {s.money(c.subtotal)}", f"Tax @ {c.tax_rate}% ................ {s.money(c.tax)}", f"INVOICE TOTAL ............... {s.money(c.total)}"]
    lines += [f"PLEASE PAY THIS AMOUNT ...... {s.money(c.claimed_total)}"] if c.claimed_total else []
    return "\n".join(lines)


def translation(c: Content, s: Style) -> str:
    """A freelancer's form with the parties in one line each and a table with bars."""
    lines = ["# INVOICE", f"*From* {c.seller}", f"*To* {c.buyer}", f"*Number* {c.number}", f"*Date* {s.day(c.issue)}", f"*Payable by* {s.day(c.due)}", "", "Job | Units | Price/unit | Net amount", ":-- | --: | --: | --:"]
    lines += [f"{i.description} | {s.count(i.quantity)} | {s.bare(i.unit_price)} | {s.bare(i.amount)}" for i in c.items]
    lines += ["", f"Net: {s.money(c.subtotal)}", f"VAT ({c.tax_rate} %): {s.money(c.tax)}", f"Gross: {s.money(c.total)}"]
    lines += [f"Total due: {s.money(c.claimed_total)}"] if c.claimed_total else []
    return "\n".join(lines)


def print_shop(c: Content, s: Style) -> str:
    """Everything said in labelled lines; "of which" before the tax."""
    lines = [c.seller, "Invoice / delivery note", f"No.: {c.number}", f"Date: {s.day(c.issue)}", f"Customer: {c.buyer}", f"Payment date: {s.day(c.due)}", ""]
    lines += [f"{s.count(i.quantity)} pcs {i.description}   {s.bare(i.unit_price)}   {s.bare(i.amount)}" for i in c.items]
    lines += ["", f"Total excluding VAT   {s.money(c.subtotal)}", f"VAT {c.tax_rate}%   {s.money(c.tax)}", f"Total including VAT   {s.money(c.total)}"]
    lines += [f"Balance due   {s.money(c.claimed_total)}"] if c.claimed_total else []
    return "\n".join(lines)


def nursery_letter(c: Content, s: Style) -> str:
    """Running text with a full stop after each item."""
    parts = " ".join(f"{i.description}: {s.count(i.quantity)} at {s.money(i.unit_price)} each makes {s.money(i.amount)}." for i in c.items)
    claim = f" Please transfer {s.money(c.claimed_total)}." if c.claimed_total else ""
    return (
        f"{c.seller}\n\nINVOICE {c.number}, {s.day(c.issue)}\n\nBill to: {c.buyer}\n\nWe delivered the following. {parts} Net total: {s.money(c.subtotal)}. Sales tax ({c.tax_rate}%): {s.money(c.tax)}. "
        f"Total: {s.money(c.total)}.{claim} Payment is due on {s.day(c.due)}."
    )


def tearoom(c: Content, s: Style) -> str:
    """Count, name, amount; the price in brackets after the name."""
    lines = [f"{c.seller:^40}", f"{'* * *  RECEIPT  * * *':^40}", f"{s.day(c.issue)}  Table 6  Check {c.number}", ""]
    lines += [f"{s.count(i.quantity)} {i.description} ({s.bare(i.unit_price)} each){s.bare(i.amount):>14}" for i in c.items]
    lines += ["", f"{'Food total':<20}{s.bare(c.subtotal):>20}", f"{'Tax':<20}{s.bare(c.tax):>20}", f"{'Please pay':<20}{s.money(c.total):>20}"]
    lines += [f"{'Total':<20}{s.money(c.claimed_total):>20}"] if c.claimed_total else [f"{'Paid: Visa':<20}{s.money(c.total):>20}"]
    return "\n".join(lines)


def hardware_store(c: Content, s: Style) -> str:
    """A number before each name, count and price between signs."""
    lines = [c.seller, "STORE 0042 REG 07", f"RECEIPT NO. {c.number}", f"DATE {s.day(c.issue)} TIME 16:05", ""]
    for n, i in enumerate(c.items):
        lines += [f"{880012300 + n * 17} {i.description.upper()}", f"  {s.count(i.quantity)} EA @ {s.bare(i.unit_price)} EA   {s.bare(i.amount)}"]
    lines += [f"SUBTOTAL   {s.bare(c.subtotal)}", f"TAX {c.tax_rate}%   {s.bare(c.tax)}", f"TOTAL   {s.money(c.total)}"]
    lines += [f"CHARGED TO CARD IN TOTAL   {s.money(c.claimed_total)}"] if c.claimed_total else [f"DEBIT   {s.money(c.total)}"]
    return "\n".join([*lines, "THANK YOU FOR SHOPPING LOCAL"])


def cobbler(c: Content, s: Style) -> str:
    """Labels with values for the sums, a small table for the rows."""
    lines = ["Receipt", f"Shop: {c.seller}", f"Receipt date: {s.day(c.issue)}", f"Receipt no.: {c.number}", "", f"{'Job or article':<26}{'No.':>5}{'Each':>12}{'Amount':>14}"]
    lines += [f"{i.description:<26}{s.count(i.quantity):>5}{s.money(i.unit_price):>12}{s.money(i.amount):>14}" for i in c.items]
    lines += ["", f"Amount before tax: {s.money(c.subtotal)}", f"Tax: {s.money(c.tax)}", f"Amount with tax: {s.money(c.total)}"]
    lines += [f"Total amount paid: {s.money(c.claimed_total)}"] if c.claimed_total else ["Settled in cash."]
    return "\n".join(lines)


def arcade(c: Content, s: Style) -> str:
    """Running text."""
    parts = "; ".join(f"{i.description} ({s.count(i.quantity)} x {s.money(i.unit_price)}): {s.money(i.amount)}" for i in c.items)
    claim = f" Total charged: {s.money(c.claimed_total)}." if c.claimed_total else ""
    return f"Sales receipt {c.number} from {c.seller}, {s.day(c.issue)}\n\nYour purchase: {parts}. Subtotal: {s.money(c.subtotal)}. Tax: {s.money(c.tax)}. Total: {s.money(c.total)}.{claim} Thanks for playing with us!"


def city_contract(c: Content, s: Style) -> str:
    lines = [f"CITY CONTRACT {c.number}", "", f"This contract is made by and between {c.buyer} (\"City\") and {c.seller} (\"Contractor\").", "", f"Section 1. Term. The contract begins on {s.day(c.start)} and expires on {s.day(c.end)}.", "",
             "Section 2. Compensation. City pays Contractor for:", "", f"{'Task':<34}{'Compensation':>18}"]
    lines += [f"{i.description:<34}{s.money(i.amount):>18}" for i in c.items]
    lines += [f"{'Total compensation':<34}{s.money(c.total):>18}", ""]
    lines += [f"Section 3. The total contract amount is {s.money(c.claimed_total)}.", ""] if c.claimed_total else []
    return "\n".join([*lines, "Section 4. Governing law is that of the state."])


def production(c: Content, s: Style) -> str:
    parts = ", ".join(f"{i.description} for {s.money(i.amount)}" for i in c.items)
    claim = f" The total production budget is {s.money(c.claimed_total)}." if c.claimed_total else ""
    return (
        f"PRODUCTION AGREEMENT\n\n{c.seller} (hereinafter \"Producer\") and {c.buyer} (hereinafter \"Client\") enter into this agreement.\n\nThe Producer provides {parts}. The total price is {s.money(c.total)}.{claim}\n\n"
        f"Work starts on {s.day(c.start)} and finishes on {s.day(c.end)}. Either party may terminate this agreement in writing."
    )


def grant(c: Content, s: Style) -> str:
    lines = ["GRANT AGREEMENT", "", f"Grantor: {c.seller}", f"Grantee: {c.buyer}", f"Grant period: {s.day(c.start)} - {s.day(c.end)}", f"Total grant: {s.money(c.total)}", "", "Approved budget lines"]
    lines += [f"- {i.description}: {s.money(i.amount)}" for i in c.items]
    lines += ["", f"Total approved budget: {s.money(c.claimed_total)}"] if c.claimed_total else []
    return "\n".join([*lines, "", "The Grantee agrees to report to the Grantor. This agreement is governed by Scots law."])


def subscription(c: Content, s: Style) -> str:
    lines = ["SUPPLY CONTRACT - KEY DATA", "", f"{'Supplier':<30}{'Customer':<30}", f"{c.seller:<30}  {c.buyer}", "", f"{'Contract start':<30}{'Contract end':<30}", f"{s.day(c.start):<30}{s.day(c.end):<30}", "", "Agreed prices"]
    lines += [f"{i.description} ... {s.money(i.amount)}" for i in c.items]
    lines += [f"Total ... {s.money(c.total)}"]
    lines += [f"Overall contract value ... {s.money(c.claimed_total)}"] if c.claimed_total else []
    return "\n".join([*lines, "", "The parties have signed this contract in two copies."])


LAYOUTS = {
    "invoice": (engineering, translation, print_shop, nursery_letter),
    "receipt": (tearoom, hardware_store, cobbler, arcade),
    "contract": (city_contract, production, grant, subscription),
}
