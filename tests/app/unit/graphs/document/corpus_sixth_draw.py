"""The sixth draw: held out until the extractor scored on it, then used to improve it.

Five layouts of invoices, four of receipts and five of contracts: labels with values, tables with and without
bars, and running text. No company, ware, layout or sentence is one of the splits before.
"""

# fmt: off
# ruff: noqa: E501 (a layout is compared with the text it makes most easily when a printed line is a line here)

from corpus_content import Content, Vocabulary
from corpus_style import Style

WORDS = Vocabulary(
    companies=(
        "Kookaburra Signage Pty Ltd", "Marchetti Legal LLP", "Baltic Amber Trading UAB", "Willow Bend Veterinary Hospital", "Nordlicht Medien GmbH", "Juniper Hill Estate",
        "Caldera Geothermal Corp.", "Oyelaran & Partners", "Port of Ardmore", "Vieux Moulin SARL", "Sequoia Data Services, LLC", "Castle Hill Academy",
        "Bluefin Logistics S.p.A.", "Heather & Stone Masonry Ltd",
    ),
    shops=("Museum of Tides", "Roadside Fuel & Go", "Clip Joint Barbers", "Green Bean Grocers", "Rainbow Toys"),
    wares=("Vinyl banner 2x1 m", "Amber bracelet", "Dog crate, large", "Neon sign", "Sandstone lintel", "Cargo strap", "Microphone stand", "Seal ring"),
    groceries=("Adult ticket", "Unleaded 95", "Beard trim", "Broccoli", "Wooden train", "Guide book", "Screen wash", "Hair wax", "Red lentils", "Kite"),
    services=("Window lettering", "Advice on tenancy", "Vaccination clinic", "Podcast editing", "Well testing", "Customs clearance", "Carving of inscription", "Data entry"),
    phases=("Drilling campaign", "Data room set-up", "Quay repairs", "Curriculum licence", "Vendor training", "Final acceptance", "Market study"),
)

MONEYS = {
    "USD": ((",", ".", "{symbol}{amount}"), (",", ".", "USD {amount}"), ("", ".", "{amount} USD"), (",", ".", "{symbol}{amount} USD")),
    "EUR": ((".", ",", "{amount} {symbol}"), (".", ",", "EUR {amount}"), (" ", ",", "{amount} {symbol}"), (",", ".", "{symbol}{amount}")),
    "GBP": ((",", ".", "{symbol}{amount}"), ("", ".", "{symbol}{amount}"), (",", ".", "GBP {amount}")),
}
DATES = {
    "USD": ("{mon} {d}, {y}", "{m:02}/{d:02}/{y}", "{month} {ordinal}, {y}", "{y}-{m:02}-{d:02}"),
    "EUR": ("{d}.{m}.{y}", "{d:02} {mon} {y}", "{y}-{m:02}-{d:02}", "{d}. {month} {y}"),
    "GBP": ("{d:02}/{m:02}/{y}", "{d} {month} {y}", "{d:02}-{m:02}-{y}", "{ordinal} {month} {y}"),
}


def antipodean(c: Content, s: Style) -> str:
    """To and from as blocks, the tax under another name, sums with and without it."""
    lines = ["Tax invoice", "", f"Invoice number {c.number}", f"Issue date {s.day(c.issue)}", f"Pay by {s.day(c.due)}", "", "From", c.seller, "ABN 12 345 678 901", "", "To", c.buyer, "Level 2, 9 Queen St", "",
             f"{'Item':<34}{'Units':>8}{'Unit price':>14}{'Line amount':>16}"]
    lines += [f"{i.description:<34}{s.count(i.quantity):>8}{s.money(i.unit_price):>14}{s.money(i.amount):>16}" for i in c.items]
    lines += ["", f"{'Total ex GST':<40}{s.money(c.subtotal):>32}", f"{'GST':<40}{s.money(c.tax):>32}", f"{'Total inc GST':<40}{s.money(c.total):>32}"]
    lines += [f"{'Amount owing':<40}{s.money(c.claimed_total):>32}"] if c.claimed_total else []
    return "\n".join(lines)


def law_firm(c: Content, s: Style) -> str:
    """Time and rate, the tax "thereon"."""
    lines = [c.seller, "Solicitors", "5 Temple Gardens", "", f"Client: {c.buyer}", f"Matter: general advice, file {c.number}", f"Bill date: {s.day(c.issue)}", f"Settlement due by: {s.day(c.due)}", "", "INVOICE FOR PROFESSIONAL SERVICES", "",
             f"{'Description of work':<34}{'Hours':>8}{'Rate':>14}{'Fee':>16}"]
    lines += [f"{i.description:<34}{s.count(i.quantity):>8}{s.bare(i.unit_price):>14}{s.bare(i.amount):>16}" for i in c.items]
    lines += [f"{'Fees excluding VAT':<42}{s.bare(c.subtotal):>30}", f"{f'VAT thereon at {c.tax_rate}%':<42}{s.bare(c.tax):>30}", f"{'Total now payable':<42}{s.money(c.total):>30}"]
    lines += [f"{'Invoice total':<42}{s.money(c.claimed_total):>30}"] if c.claimed_total else []
    return "\n".join(lines)


def web_shop(c: Content, s: Style) -> str:
    """One label a line, addresses as blocks."""
    lines = [f"INVOICE {c.number}", "", "Sold by:", c.seller, "Speicherstadt 4", "", "Billing address:", c.buyer, "1 Abbey Walk", "", f"Invoice created on: {s.day(c.issue)}", f"Please pay until: {s.day(c.due)}", ""]
    for n, i in enumerate(c.items, 1):
        lines += [f"Article {n}: {i.description}", f"Number of units: {s.count(i.quantity)}", f"Price per unit: {s.money(i.unit_price)}", f"Amount: {s.money(i.amount)}", ""]
    lines += [f"Sum of articles: {s.money(c.subtotal)}", f"Value added tax {c.tax_rate}%: {s.money(c.tax)}", f"Total amount: {s.money(c.total)}"]
    lines += [f"Outstanding amount: {s.money(c.claimed_total)}"] if c.claimed_total else []
    return "\n".join(lines)


def signed_letter(c: Content, s: Style) -> str:
    """Running text; the seller only signs."""
    parts = [f"{s.count(i.quantity)} x {i.description} for {s.money(i.unit_price)} each, {s.money(i.amount)} altogether" for i in c.items]
    claim = f" You therefore owe us a total of {s.money(c.claimed_total)}." if c.claimed_total else ""
    return (
        f"To: {c.buyer}\nMain Street 1\n\n{s.day(c.issue)}\n\nInvoice number {c.number}\n\nDear Mr Bell,\n\nfor your order we charge you {'; '.join(parts)}. The subtotal is {s.money(c.subtotal)}. To this we add VAT of "
        f"{s.money(c.tax)} ({c.tax_rate}%). The invoice total is {s.money(c.total)}. We ask for payment by {s.day(c.due)}.{claim}\n\nKind regards,\n{c.seller}"
    )


def agency(c: Content, s: Style) -> str:
    """Positions with dashes."""
    lines = [f"{c.seller} | design & media", "", f"Invoice to: {c.buyer}", f"Invoice date: {s.day(c.issue)} | Due date: {s.day(c.due)} | No. {c.number}", ""]
    lines += [f"Position {n} - {i.description} - {s.count(i.quantity)} x {s.money(i.unit_price)} = {s.money(i.amount)}" for n, i in enumerate(c.items, 1)]
    lines += ["", f"Total of positions: {s.money(c.subtotal)}", f"+ {c.tax_rate}% VAT: {s.money(c.tax)}", f"= Invoice amount: {s.money(c.total)}"]
    lines += [f"Amount due: {s.money(c.claimed_total)}"] if c.claimed_total else []
    return "\n".join(lines)


def ticket_desk(c: Content, s: Style) -> str:
    """No header; count and price after the name."""
    lines = [c.seller, "Pier 2", "", "RECEIPT", f"Date of purchase: {s.day(c.issue)}", f"Receipt ID: {c.number}", ""]
    lines += [f"{i.description:<20} {s.count(i.quantity):>3} @ {s.money(i.unit_price):<14} {s.money(i.amount):>14}" for i in c.items]
    lines += ["", f"Net {s.money(c.subtotal):>40}", f"Tax {s.money(c.tax):>40}", f"Total {s.money(c.total):>38}"]
    lines += [f"Total charged {s.money(c.claimed_total):>30}"] if c.claimed_total else [f"Amex {s.money(c.total):>39}"]
    return "\n".join(lines)


def fuel_station(c: Content, s: Style) -> str:
    """Columns named by a fuel station."""
    lines = [f"{c.seller:^44}", f"{'VAT ID 99 888 777':^44}", f"{'SALE RECEIPT':^44}", f"{s.day(c.issue)}  17:40  PUMP 3  TXN {c.number}", "", f"{'PRODUCT':<16}{'VOLUME':>7}{'PRICE/UNIT':>12}{'VALUE':>12}"]
    lines += [f"{i.description:<16}{s.count(i.quantity):>7}{s.bare(i.unit_price):>12}{s.bare(i.amount):>12}" for i in c.items]
    lines += [f"{'VALUE EXCL TAX':<25}{s.bare(c.subtotal):>22}", f"{f'TAX {c.tax_rate}%':<25}{s.bare(c.tax):>22}", f"{'VALUE INCL TAX':<25}{s.money(c.total):>22}"]
    lines += [f"{'TOTAL TO PAY':<25}{s.money(c.claimed_total):>22}"] if c.claimed_total else [f"{'CARD':<25}{s.money(c.total):>22}"]
    return "\n".join([*lines, "DRIVE SAFELY - THANK YOU"])


def app_receipt(c: Content, s: Style) -> str:
    """Pairs of name and value in each line."""
    lines = [f"merchant: {c.seller}", "document: receipt", f"date: {s.day(c.issue)}", f"id: {c.number}", f"currency: {s.currency}", ""]
    lines += [f"item: {i.description}; qty: {s.count(i.quantity)}; unit price: {s.bare(i.unit_price)}; amount: {s.bare(i.amount)}" for i in c.items]
    lines += ["", f"subtotal: {s.bare(c.subtotal)}", f"tax: {s.bare(c.tax)}", f"total: {s.bare(c.total)}"]
    lines += [f"amount charged: {s.bare(c.claimed_total)}"] if c.claimed_total else []
    return "\n".join([*lines, "payment: card"])


def barber(c: Content, s: Style) -> str:
    """Each line with two dashes; the sums in one line."""
    lines = [f"{c.seller} - receipt {c.number}", f"{s.day(c.issue)}", ""]
    lines += [f"{s.count(i.quantity)} x {i.description} at {s.money(i.unit_price)}: {s.money(i.amount)}" for i in c.items]
    lines += ["", f"Subtotal {s.money(c.subtotal)} + tax {s.money(c.tax)} = total {s.money(c.total)}"]
    lines += [f"Total paid by card: {s.money(c.claimed_total)}"] if c.claimed_total else ["Paid by card. Thank you!"]
    return "\n".join(lines)


def call_off(c: Content, s: Style) -> str:
    """A public call-off contract: labels and values in a table with bars."""
    lines = ["# Call-off contract", "", "| Order form | |", "|---|---|", f"| Contract reference | {c.number} |", f"| Buyer | {c.buyer} |", f"| Supplier | {c.seller} |", f"| Start date | {s.day(c.start)} |", f"| Expiry date | {s.day(c.end)} |",
             f"| Contract value | {s.money(c.total)} |", "", "| Service | Charge |", "|---|---|"]
    lines += [f"| {i.description} | {s.money(i.amount)} |" for i in c.items]
    lines += [f"| Total charges | {s.money(c.claimed_total or c.total)} |", ""]
    return "\n".join([*lines, "The parties agree to the call-off terms."])


def understanding(c: Content, s: Style) -> str:
    parts = "; ".join(f"{s.money(i.amount)} for {i.description}" for i in c.items)
    claim = f" The total budget is {s.money(c.claimed_total)}." if c.claimed_total else ""
    return (
        f"MEMORANDUM OF UNDERSTANDING\n\nbetween {c.seller}, represented by Ms A. Lund, and {c.buyer}, represented by Mr B. Okafor.\n\nThis memorandum takes effect on {s.day(c.start)} and lapses on {s.day(c.end)}.\n\n"
        f"The second party contributes a total amount of {s.money(c.total)}, namely {parts}.{claim}\n\nThe parties shall consult each other in good faith."
    )


def maintenance(c: Content, s: Style) -> str:
    lines = ["MAINTENANCE CONTRACT", "", f"Contractor: {c.seller}", f"Customer: {c.buyer}", f"Contract period: {s.day(c.start)} to {s.day(c.end)}", "", f"{'Position':<34}{'Price':>18}"]
    lines += [f"{i.description:<34}{s.money(i.amount):>18}" for i in c.items]
    lines += [f"{'Total of all positions':<34}{s.money(c.total):>18}", ""]
    lines += [f"Total price for the contract period: {s.money(c.claimed_total)}", ""] if c.claimed_total else []
    return "\n".join([*lines, "Liability is limited to intent and gross negligence."])


def consortium(c: Content, s: Style) -> str:
    lines = ["COOPERATION AGREEMENT", "", "Parties:", f"(a) {c.seller}, 3 Long Wharf (the \"Lead\"), and", f"(b) {c.buyer}, 8 Market Place (the \"Partner\").", "", f"Effective date: {s.day(c.start)}", f"Termination date: {s.day(c.end)}", "", "Budget:"]
    lines += [f"{n}. {i.description}: {s.money(i.amount)}" for n, i in enumerate(c.items, 1)]
    lines += [f"Total budget: {s.money(c.total)}", ""]
    lines += [f"The total value of the cooperation is {s.money(c.claimed_total)}.", ""] if c.claimed_total else []
    return "\n".join([*lines, "Each party bears its own liability."])


def recitals(c: Content, s: Style) -> str:
    parts = ", ".join(f"{i.description}: {s.money(i.amount)}" for i in c.items)
    claim = f" The contract price is {s.money(c.claimed_total)} in total." if c.claimed_total else ""
    return (
        f"AGREEMENT FOR SERVICES\n\nThis agreement is concluded by and between {c.buyer} (hereinafter the \"Client\") and {c.seller} (hereinafter the \"Agent\").\n\nThe Agent begins its work on {s.day(c.start)} and completes "
        f"it by {s.day(c.end)}.\n\nThe Client pays the following prices: {parts}; in total {s.money(c.total)}.{claim}\n\nThis agreement is subject to the law of the Client's country."
    )


LAYOUTS = {
    "invoice": (antipodean, law_firm, web_shop, signed_letter, agency),
    "receipt": (ticket_desk, fuel_station, app_receipt, barber),
    "contract": (call_off, understanding, maintenance, consortium, recitals),
}
