"""The fourth draw: held out until the extractor scored on it, then used to improve it.

Five layouts of invoices, four of receipts and five of contracts: labels with values, tables with and without
bars, and running text. No company, ware, layout or sentence is one of the splits before.
"""

# fmt: off
# ruff: noqa: E501 (a layout is compared with the text it makes most easily when a printed line is a line here)

from corpus_content import Content, Vocabulary
from corpus_style import Style

WORDS = Vocabulary(
    companies=(
        "Lindenhof Catering GmbH", "Harper Quinn Studios Ltd", "Cascadia Solar Inc.", "Ferreira & Duarte Lda", "North Fork Fire District", "Van Aken Textiel B.V.",
        "Stonebridge Analytics LLC", "Saint Clare Hospital", "Copperfield Roofing Co.", "Musée des Ondes", "Tidewater Freight Lines, Inc.", "Grieg Akustikk AS",
        "Palmetto Swim Club", "Ashdown Forest Bakery",
    ),
    shops=("The Daily Grind", "Ferndale Garden Centre", "QuickFix Electronics", "Bella Vista Gelateria", "Old Town Cycles"),
    wares=("Tablecloth, linen", "Stage light 200W", "Solar clamp", "Acoustic panel", "Flour, type 550", "Swim lane rope", "Roof batten", "Pallet jack", "Hand dryer"),
    groceries=("Cappuccino", "Potting soil 20L", "HDMI cable", "Pistachio scoop", "Inner tube 28in", "Blueberry muffin", "Rose bush", "Phone case", "Chain lube"),
    services=("Catering, lunch", "Lighting design", "Panel installation", "Freight to Oslo", "Annual audit", "Noise measurement", "Lifeguard training", "Roof inspection"),
    phases=("Preliminary survey", "Detailed design", "Delivery of panels", "Installation on site", "Commissioning", "Training of staff"),
)

MONEYS = {
    "USD": ((",", ".", "{symbol}{amount}"), (",", ".", "{amount} USD"), (",", ".", "USD {amount}")),
    "EUR": ((".", ",", "{amount} EUR"), (".", ",", "{symbol} {amount}"), (" ", ",", "{amount} {symbol}"), (",", ".", "EUR {amount}")),
    "GBP": ((",", ".", "{symbol}{amount}"), (",", ".", "GBP {amount}")),
}
DATES = {
    "USD": ("{month} {d}, {y}", "{m:02}/{d:02}/{y}", "{mon}. {d}, {y}"),
    "EUR": ("{d:02}.{m:02}.{y}", "{d} {mon} {y}", "{y}-{m:02}-{d:02}", "{d:02}-{m:02}-{y}"),
    "GBP": ("{d} {month} {y}", "{ordinal} {month} {y}", "{d:02}/{m:02}/{y}"),
}


def boxed(c: Content, s: Style) -> str:
    """A contractor's invoice: terms instead of a due date, a column with the unit, sums in the table."""
    days = (c.due - c.issue).days
    lines = [c.seller, "401 Mill Pond Rd", "", "INVOICE", f"No. {c.number}", f"Date {s.day(c.issue)}", "", "BILLED TO", c.buyer, "90 Elm Street", "", "PROJECT", "East hall", "",
             "| Service | Qty | Unit | Rate | Total |", "|---------|-----|------|------|-------|"]
    lines += [f"| {i.description} | {s.count(i.quantity)} | hrs | {s.money(i.unit_price)} | {s.money(i.amount)} |" for i in c.items]
    lines += [f"| | | | Subtotal | {s.money(c.subtotal)} |", f"| | | | Tax ({c.tax_rate}%) | {s.money(c.tax)} |", f"| | | | Grand Total | {s.money(c.total)} |", ""]
    lines += [f"Payment is due within {days} days of the invoice date."] if days > 0 else [f"Payment due {s.day(c.due)}."]
    lines += [f"Deposit slip: please remit the amount due of {s.money(c.claimed_total)}."] if c.claimed_total else []
    return "\n".join(lines)


def two_columns(c: Content, s: Style) -> str:
    """Both sides next to each other in a table with bars; facts in a second one."""
    lines = ["## Sales invoice", "", "| Seller | Buyer |", "|---|---|", f"| {c.seller} | {c.buyer} |", "| 5 Kai Vest | 12 Rua Nova |", "",
             "| Invoice no. | Invoice date | Due date | Currency |", "|---|---|---|---|", f"| {c.number} | {s.day(c.issue)} | {s.day(c.due)} | {s.currency} |", "",
             "| No. | Goods | Price per unit | Units | Sum |", "|---|---|---|---|---|"]
    lines += [f"| {n} | {i.description} | {s.bare(i.unit_price)} | {s.count(i.quantity)} | {s.bare(i.amount)} |" for n, i in enumerate(c.items, 1)]
    lines += ["", f"Sum of goods: {s.bare(c.subtotal)}", f"VAT {c.tax_rate}%: {s.bare(c.tax)}", f"Total to pay: {s.bare(c.total)}"]
    lines += [f"Total payable: {s.bare(c.claimed_total)}"] if c.claimed_total else []
    return "\n".join(lines)


def delivery_letter(c: Content, s: Style) -> str:
    """Running text with lettered items."""
    parts = "; ".join(f"({letter}) {s.count(i.quantity)} pieces of {i.description} at {s.money(i.unit_price)} apiece, {s.money(i.amount)}" for letter, i in zip("abcdefg", c.items, strict=False))
    claim = f" We therefore ask you to transfer the total of {s.money(c.claimed_total)}." if c.claimed_total else ""
    return (
        f"{c.seller}\nKirkeveien 7\n0368 Oslo\n\n{c.buyer}\nBirch Lane 2\n\n{s.day(c.issue)}\n\nINVOICE NO. {c.number}\n\nDear customer,\n\nwe hereby invoice the following deliveries: {parts}. "
        f"The sum before VAT is {s.money(c.subtotal)}. VAT of {c.tax_rate}% amounts to {s.money(c.tax)}. The total amount to be paid is {s.money(c.total)}, payable no later than {s.day(c.due)}.{claim}\n\n"
        f"Yours sincerely\n{c.seller}"
    )


def numbered_lines(c: Content, s: Style) -> str:
    """Label and value; every line item in one line with labels."""
    lines = [f"Tax Invoice {c.number}", f"Supplier name: {c.seller}", "Supplier VAT no: 123456789", f"Customer name: {c.buyer}", f"Date of issue: {s.day(c.issue)}", f"Pay before: {s.day(c.due)}", ""]
    lines += [f"Line {n}: {i.description}, quantity {s.count(i.quantity)}, price {s.money(i.unit_price)}, total {s.money(i.amount)}" for n, i in enumerate(c.items, 1)]
    lines += ["", f"Amount excl. VAT: {s.money(c.subtotal)}", f"VAT amount ({c.tax_rate}%): {s.money(c.tax)}", f"Amount incl. VAT: {s.money(c.total)}"]
    lines += [f"Amount to pay: {s.money(c.claimed_total)}"] if c.claimed_total else []
    return "\n".join(lines)


def shaded_table(c: Content, s: Style) -> str:
    """The amount column first of the sums, dates in a row of their own, seller in the footer."""
    lines = [f"{'INVOICE':^80}", "", f"{'To:':<8}{c.buyer}", f"{'':<8}Accounts payable", "", f"{'INVOICE NUMBER':<26}{'ISSUED':<26}{'DUE':<26}", f"{c.number:<26}{s.day(c.issue):<26}{s.day(c.due):<26}", "",
             f"{'QTY':<6}{'PRODUCT':<34}{'UNIT COST':>16}{'LINE COST':>18}"]
    lines += [f"{s.count(i.quantity):<6}{i.description:<34}{s.bare(i.unit_price):>16}{s.bare(i.amount):>18}" for i in c.items]
    lines += ["", f"{'NET':>56}{s.bare(c.subtotal):>18}", f"{f'VAT {c.tax_rate}%':>56}{s.bare(c.tax):>18}", f"{'INVOICE TOTAL':>56}{s.money(c.total):>18}"]
    lines += [f"{'PLEASE PAY':>56}{s.money(c.claimed_total):>18}"] if c.claimed_total else []
    return "\n".join([*lines, "", f"Payable to: {c.seller}", "Sort code 00-00-00"])


def coffee_bar(c: Content, s: Style) -> str:
    """Count and name with the amount, the price of one below."""
    lines = [f"{c.seller:^36}", f"{'Thank you for your visit!':^36}", "", f"Receipt {c.number}", f"{s.day(c.issue)} 08:12", ""]
    for i in c.items:
        lines += [f"{s.count(i.quantity)} {i.description:<24}{s.bare(i.amount):>10}", f"    @ {s.bare(i.unit_price)} each"]
    lines += ["", f"{'Subtotal':<26}{s.bare(c.subtotal):>10}", f"{'Tax':<26}{s.bare(c.tax):>10}", f"{'Total':<26}{s.money(c.total):>10}"]
    lines += [f"{'Card payment total':<26}{s.money(c.claimed_total):>10}"] if c.claimed_total else [f"{'Card':<26}{s.money(c.total):>10}"]
    return "\n".join(lines)


def garden_centre(c: Content, s: Style) -> str:
    """Labels inside each line."""
    lines = [c.seller, f"SALES RECEIPT #{c.number}", f"Sold on {s.day(c.issue)}", ""]
    lines += [f"{i.description}  QTY {s.count(i.quantity)}  PRICE {s.bare(i.unit_price)}  EXT {s.bare(i.amount)}" for i in c.items]
    lines += ["", f"Merchandise {s.bare(c.subtotal)}", f"Sales tax {s.bare(c.tax)}", f"Receipt total {s.money(c.total)}"]
    lines += [f"Amount charged {s.money(c.claimed_total)}"] if c.claimed_total else ["Paid by debit card"]
    return "\n".join(lines)


def barred_receipt(c: Content, s: Style) -> str:
    """A table with bars, the count first."""
    lines = ["RECEIPT", "", f"Store: {c.seller}", f"Purchase date: {s.day(c.issue)}", f"Transaction: {c.number}", "", "Qty | Item | Unit | Amt", "--- | --- | --- | ---"]
    lines += [f"{s.count(i.quantity)} | {i.description} | {s.money(i.unit_price)} | {s.money(i.amount)}" for i in c.items]
    lines += ["", f"Before tax: {s.money(c.subtotal)}", f"VAT: {s.money(c.tax)}", f"Total: {s.money(c.total)}"]
    lines += [f"Total paid: {s.money(c.claimed_total)}"] if c.claimed_total else [f"Cash: {s.money(c.total)}", "Change: 0.00"]
    return "\n".join(lines)


def spoken_receipt(c: Content, s: Style) -> str:
    """Running text, as a shop would mail it."""
    parts = ", ".join(f"{s.count(i.quantity)} x {i.description} at {s.money(i.unit_price)} each ({s.money(i.amount)})" for i in c.items)
    claim = f" Your card was charged a total of {s.money(c.claimed_total)}." if c.claimed_total else ""
    return (
        f"Receipt no. {c.number}\n\nThank you for shopping at {c.seller} on {s.day(c.issue)}. You bought {parts}. The subtotal was {s.money(c.subtotal)}, the tax {s.money(c.tax)} and the total "
        f"{s.money(c.total)}, paid by card.{claim} Please keep this receipt."
    )


def memorandum(c: Content, s: Style) -> str:
    lines = ["MEMORANDUM OF AGREEMENT", "", "by and between", "", f'{c.seller} (hereinafter referred to as the "Provider")', "", "- and -", "", f'{c.buyer} (hereinafter referred to as the "Beneficiary")', "",
             f"Article 1. This agreement becomes effective on {s.day(c.start)} and remains valid until {s.day(c.end)}.", "", "Article 2. The Beneficiary pays for:"]
    lines += [f"   * {i.description}: {s.money(i.amount)}" for i in c.items]
    lines += [f"   Total: {s.money(c.total)}", ""]
    lines += [f"Article 3. The total value of this agreement is {s.money(c.claimed_total)}.", ""] if c.claimed_total else []
    return "\n".join([*lines, "Article 4. Disputes are settled amicably by the parties."])


def term_sheet(c: Content, s: Style) -> str:
    lines = ["# Services contract", "", "| Term | Content |", "|---|---|", f"| Provider | {c.seller} |", f"| Client | {c.buyer} |", f"| Commencement | {s.day(c.start)} |", f"| Completion | {s.day(c.end)} |",
             f"| Total price | {s.money(c.total)} |", "", "The price consists of:", ""]
    lines += [f"- {i.description} ({s.money(i.amount)})" for i in c.items]
    lines += ["", f"Contract value: {s.money(c.claimed_total)}"] if c.claimed_total else []
    return "\n".join([*lines, "", "Both parties may terminate with notice of one month."])


def plain_contract(c: Content, s: Style) -> str:
    parts = ", ".join(f"{s.money(i.amount)} for {i.description}" for i in c.items)
    claim = f" The parties note a total contract price of {s.money(c.claimed_total)}." if c.claimed_total else ""
    return (
        f"CONTRACT\n\nThe parties to this contract are {c.seller}, 12 Harbour Road, Cork, as supplier, and {c.buyer}, 3 Square Ambiorix, Brussels, as customer. The contract starts on {s.day(c.start)} and ends on "
        f"{s.day(c.end)}. The customer pays {parts}, which makes {s.money(c.total)} in total.{claim} Neither party may assign this contract."
    )


def outline(c: Content, s: Style) -> str:
    lines = ["SUPPLY AGREEMENT", "", "1 Parties", f"1.1 Supplier: {c.seller}", f"1.2 Client: {c.buyer}", "2 Duration", f"2.1 Start: {s.day(c.start)}", f"2.2 End: {s.day(c.end)}", "3 Prices"]
    lines += [f"3.{n} {i.description}: {s.money(i.amount)}" for n, i in enumerate(c.items, 1)]
    lines += [f"3.{len(c.items) + 1} Total price: {s.money(c.total)}"]
    lines += [f"3.{len(c.items) + 2} Maximum total price: {s.money(c.claimed_total)}"] if c.claimed_total else []
    return "\n".join([*lines, "4 Liability", "4.1 Each party is liable for intent only."])


def letter_agreement(c: Content, s: Style) -> str:
    parts = "; ".join(f"{i.description}, {s.money(i.amount)}" for i in c.items)
    claim = f" The aggregate fee shall be {s.money(c.claimed_total)}." if c.claimed_total else ""
    return (
        f"LETTER AGREEMENT\n\nThis letter agreement between {c.seller} and {c.buyer} confirms the engagement of the former by the latter, commencing {s.day(c.start)} and concluding {s.day(c.end)}.\n\n"
        f"The work and its fees are: {parts}. The fees total {s.money(c.total)}.{claim}\n\nThis agreement may be terminated by either party for good cause."
    )


LAYOUTS = {
    "invoice": (boxed, two_columns, delivery_letter, numbered_lines, shaded_table),
    "receipt": (coffee_bar, garden_centre, barred_receipt, spoken_receipt),
    "contract": (memorandum, term_sheet, plain_contract, outline, letter_agreement),
}
