"""The third draw: held out until the extractor scored on it, then used to improve it.

The layouts follow further practice: a German firm's invoice in English, an enterprise system's invoice, a time
sheet, an invoice in the text of a mail, a hosting bill; a pharmacy's and a market's receipts, an order
confirmation marked as receipt, a workshop's; a building contract with its contract sum, a lease, a statement of
work, a purchase agreement, a licence. No company, ware or sentence is one of the splits before.
"""

# fmt: off
# ruff: noqa: E501 (a layout is compared with the text it makes most easily when a printed line is a line here)

from corpus_content import Content, Vocabulary
from corpus_style import Style

WORDS = Vocabulary(
    companies=(
        "Hartmann Werkzeugtechnik GmbH", "Bayside Property Management, LLC", "Aurelia Ventures Inc", "Kowalczyk Transport Sp. z o.o.", "Green Acre Nurseries",
        "Thornbury Borough Council", "Delacroix & Fils S.A.", "Pacific Crest Outfitters Co.", "Novák Stavby s.r.o.", "Elmwood Primary School",
        "Bright Path Learning Trust", "Sorensen Shipping ApS", "Rivera Landscape Architects PLLC", "Tamarack Hosting Ltd", "Wexford Dental Care",
    ),
    shops=("Apotheke am Markt", "Saturday Farm Stall", "Kite & Kaboodle", "Fast Lane Auto Repair", "Hillcrest Pharmacy", "Nonna's Deli"),
    wares=("Torque wrench set", "Safety helmet, white", "Filing cabinet 3-drawer", "Webcam mount", "Extension lead 5 m", "Hex key", "Marker pens (12)",
           "Standing desk frame", "Label printer"),
    groceries=("Ibuprofen 400mg", "Honey jar", "Heirloom tomatoes", "Brake fluid DOT4", "Wiper blades", "Birthday card", "Cough syrup", "Goat cheese",
               "Oil filter", "Sun cream SPF30"),
    services=("Managed hosting, basic", "Backup storage", "Domain renewal", "Site supervision", "Interpreting at court", "Curriculum review", "Crane hire",
              "Payroll processing", "Garden maintenance", "Firewall configuration"),
    phases=("Earthworks", "Masonry", "Roof structure", "Interior finishing", "Software licence", "Implementation services", "Annual maintenance",
            "Data centre move", "Teacher training"),
)

MONEYS = {
    "USD": ((",", ".", "{symbol}{amount}"), (",", ".", "USD {amount}"), (",", ".", "{amount} {code}")),
    "EUR": ((".", ",", "{amount} {symbol}"), (".", ",", "EUR {amount}"), (" ", ",", "{amount} EUR"), (",", ".", "{symbol}{amount}")),
    "GBP": ((",", ".", "{symbol}{amount}"), (",", ".", "{symbol} {amount}")),
}
DATES = {
    "USD": ("{month} {d}, {y}", "{m}/{d}/{yy:02}", "{d:02}-{mon}-{y}", "{y}-{m:02}-{d:02}"),
    "EUR": ("{d:02}.{m:02}.{y}", "{d} {month} {y}", "{y}-{m:02}-{d:02}", "{d:02}/{m:02}/{y}"),
    "GBP": ("{d} {month} {y}", "{d:02}/{m:02}/{y}", "{d:02}-{mon}-{y}", "{ordinal} of {month} {y}"),
}


def german_firm(c: Content, s: Style) -> str:
    """Sender's line, recipient left and data right on the same lines, items with a position."""
    data = [f"Invoice no.: {c.number}", f"Invoice date: {s.day(c.issue)}", "Customer no.: 10442", f"Payable until: {s.day(c.due)}"]
    address = [c.buyer, "Purchasing", "Hafenstr. 22", "20457 Hamburg"]
    lines = [f"{c.seller} - Industriestr. 5 - 70565 Stuttgart", ""] + [f"{left:<50}{right}" for left, right in zip(address, data, strict=True)]
    lines += ["", "INVOICE", "", f"{'Pos.':<6}{'Designation':<32}{'Quantity':>10}{'Unit price':>14}{'Total ' + s.currency:>16}"]
    lines += [f"{n:<6}{i.description:<32}{s.count(i.quantity):>7} pc{s.bare(i.unit_price):>14}{s.bare(i.amount):>16}" for n, i in enumerate(c.items, 1)]
    lines += ["", f"{'Net amount':<38}{s.bare(c.subtotal):>40}", f"{f'plus {c.tax_rate} % VAT':<38}{s.bare(c.tax):>40}", f"{'Gross amount':<38}{s.bare(c.total):>40}"]
    lines += ["", f"Please transfer the gross amount of {s.money(c.claimed_total)} to the account below."] if c.claimed_total else []
    return "\n".join([*lines, "", "IBAN DE00 1234 5678 9012 3456 78"])


def enterprise_system(c: Content, s: Style) -> str:
    """Two facts in one label, the description below its numbers."""
    lines = [f"{'INVOICE':<40}{c.seller}", "", f"{'Bill-to party':<40}Information", f"{c.buyer:<40}Document number   {c.number}",
             f"{'1 Exchange Plaza':<40}Document date     {s.day(c.issue)}", f"{'':<40}Net due date      {s.day(c.due)}", f"{'':<40}Currency          {s.currency}", "",
             f"{'Item':<8}{'Material':<14}{'Quantity':>10}{'Price':>16}{'Value':>18}", f"{'':<8}Description"]
    for n, i in enumerate(c.items, 1):
        lines += [f"{n * 10:06}  {f'MAT-{4700 + n}':<14}{s.count(i.quantity):>7} EA{s.bare(i.unit_price):>16}{s.bare(i.amount):>18}", f"{'':<8}{i.description}"]
    lines += ["", f"{'Total net value':<48}{s.bare(c.subtotal):>18}", f"{f'Output tax {c.tax_rate}%':<48}{s.bare(c.tax):>18}", f"{'Final amount':<48}{s.bare(c.total):>18}"]
    lines += [f"{'Amount payable':<48}{s.bare(c.claimed_total):>18}"] if c.claimed_total else []
    return "\n".join(lines)


def time_sheet(c: Content, s: Style) -> str:
    """A freelancer's time sheet; the hours have a total of their own."""
    hours = sum(i.quantity for i in c.items)
    lines = [c.seller, "", f"Invoice for: {c.buyer}", f"Invoice #{c.number}", f"Sent on {s.day(c.issue)}", f"Payment expected by {s.day(c.due)}", "",
             "Task | Hours | Hourly rate | Line total", "--- | --- | --- | ---"]
    lines += [f"{i.description} | {s.count(i.quantity)} | {s.money(i.unit_price)} | {s.money(i.amount)}" for i in c.items]
    lines += ["", f"Total hours: {s.count(hours)}", f"Fees: {s.money(c.subtotal)} net", f"Sales tax {c.tax_rate}%: {s.money(c.tax)}", f"Invoice total: {s.money(c.total)}"]
    lines += [f"Amount outstanding: {s.money(c.claimed_total)}"] if c.claimed_total else []
    return "\n".join(lines)


def mail_text(c: Content, s: Style) -> str:
    """The invoice in the text of a mail, the items as a list."""
    lines = [f"From: {c.seller}", f"To: {c.buyer}", f"Subject: Invoice {c.number}", f"Date: {s.day(c.issue)}", "", "Hi Tom,", "", "here is our invoice for last month:", ""]
    lines += [f"- {s.count(i.quantity)} x {i.description} @ {s.money(i.unit_price)} = {s.money(i.amount)}" for i in c.items]
    lines += ["", f"Net total {s.money(c.subtotal)}, VAT ({c.tax_rate}%) {s.money(c.tax)}, total due {s.money(c.total)}.", "", f"Could you please pay before {s.day(c.due)}?"]
    lines += [f"So that is {s.money(c.claimed_total)} in total."] if c.claimed_total else []
    return "\n".join([*lines, "", "Thanks,", "Ann"])


def hosting_bill(c: Content, s: Style) -> str:
    """Pay to and invoiced to, rows without a price column, totals under the amounts."""
    lines = [f"Invoice #{c.number}", "", f"Invoice Date: {s.day(c.issue)}", f"Due Date: {s.day(c.due)}", "", f"{'Invoiced To':<40}{'Pay To'}", f"{c.buyer:<40}{c.seller}",
             f"{'88 Harbour Road':<40}{'PO Box 9'}", "", f"{'Description':<44}{'Qty':>5}{'Each':>14}{'Total':>16}"]
    lines += [f"{i.description:<44}{s.count(i.quantity):>5}{s.money(i.unit_price):>14}{s.money(i.amount):>16}" for i in c.items]
    lines += [f"{'Sub Total':>63}{s.money(c.subtotal):>16}", f"{f'{c.tax_rate}% VAT':>63}{s.money(c.tax):>16}", f"{'Credit':>63}{s.money(c.tax * 0):>16}",
              f"{'Total':>63}{s.money(c.total):>16}", "", "Transactions", "No related transactions found", f"{'Balance':>63}{s.money(c.claimed_total or c.total):>16}"]
    return "\n".join(lines)


def pharmacy(c: Content, s: Style) -> str:
    """Name and amount, then count and price below it."""
    lines = [c.seller, "Marktplatz 3", "Tel 0711 555 0199", "", f"Receipt No {c.number}", f"Date {s.day(c.issue)}  Time 10:22", ""]
    for i in c.items:
        lines += [f"{i.description:<28}{s.bare(i.amount):>12}", f"   Qty {s.count(i.quantity)} @ {s.bare(i.unit_price)} ea"]
    lines += ["", f"{'Sum before tax':<28}{s.bare(c.subtotal):>12}", f"{f'Tax {c.tax_rate}%':<28}{s.bare(c.tax):>12}", f"{f'Total {s.currency}':<28}{s.bare(c.total):>12}"]
    lines += [f"{'Total charged to card':<28}{s.bare(c.claimed_total):>12}"] if c.claimed_total else [f"{'Debit card':<28}{s.bare(c.total):>12}"]
    return "\n".join([*lines, "", "Get well soon!"])


def market(c: Content, s: Style) -> str:
    """Everything in one short line."""
    lines = [f"** {c.seller} **", f"RECEIPT {s.day(c.issue)}", ""]
    lines += [f"{i.description}: {s.count(i.quantity)} x {s.bare(i.unit_price)} = {s.bare(i.amount)}" for i in c.items]
    lines += ["", f"Net {s.bare(c.subtotal)}", f"VAT {c.tax_rate}% {s.bare(c.tax)}", f"To pay {s.money(c.total)}"]
    lines += [f"Total {s.money(c.claimed_total)}"] if c.claimed_total else []
    return "\n".join([*lines, "Paid in cash. Thanks for your purchase."])


def order_receipt(c: Content, s: Style) -> str:
    """A shop's mail, one label a line."""
    lines = [f"Your receipt from {c.seller}", f"Order number: {c.number}", f"Order placed: {s.day(c.issue)}", "", "ITEMS"]
    for i in c.items:
        lines += [f"Product: {i.description}", f"Quantity: {s.count(i.quantity)}", f"Price: {s.money(i.unit_price)}", f"Item total: {s.money(i.amount)}", ""]
    lines += [f"Items subtotal: {s.money(c.subtotal)}", f"Estimated tax: {s.money(c.tax)}", f"Order total: {s.money(c.total)}"]
    lines += [f"Total paid: {s.money(c.claimed_total)}"] if c.claimed_total else ["Paid with Visa ending in 4242"]
    return "\n".join(lines)


def workshop(c: Content, s: Style) -> str:
    """Columns with the count last but one, and a customer's copy."""
    lines = [f"{c.seller:<34}PAID RECEIPT", f"{'Bay 4, Mill Yard':<34}Ticket {c.number}", f"{'':<34}{s.day(c.issue)}", "", f"{'Part or labour':<30}{'Unit':>12}{'Qty':>6}{'Line total':>16}"]
    lines += [f"{i.description:<30}{s.bare(i.unit_price):>12}{s.count(i.quantity):>6}{s.bare(i.amount):>16}" for i in c.items]
    lines += [f"{'Parts and labour total':<48}{s.bare(c.subtotal):>16}", f"{f'Sales tax at {c.tax_rate}%':<48}{s.bare(c.tax):>16}", f"{'Amount due':<48}{s.money(c.total):>16}"]
    lines += [f"{'Amount charged':<48}{s.money(c.claimed_total):>16}"] if c.claimed_total else [f"{'Mastercard':<48}{s.money(c.total):>16}"]
    return "\n".join([*lines, "Customer copy - thank you, drive safely"])


def building_contract(c: Content, s: Style) -> str:
    rows = "\n".join(f"{i.description:<36}{s.money(i.amount):>18}" for i in c.items)
    claim = f"\n\nArticle 5. The parties record that the total Contract Sum is {s.money(c.claimed_total)}." if c.claimed_total else ""
    return (
        f"STANDARD FORM OF AGREEMENT\n\nBETWEEN the Owner:\n{c.buyer}\n2 Civic Square\n\nand the Contractor:\n{c.seller}\n17 Quarry Lane\n\nfor the following Project: extension of the east wing\n\n"
        f"Article 1. The date of commencement of the Work shall be {s.day(c.start)}. The Contractor shall achieve substantial completion not later than {s.day(c.end)}.\n\n"
        f"Article 2. The Owner shall pay the Contractor the Contract Sum of {s.money(c.total)}, subject to additions and deductions.\n\nArticle 3. Schedule of values\n\n"
        f"{'Portion of the work':<36}{'Value':>18}\n{rows}{claim}\n\nArticle 6. Either party may terminate this agreement for cause."
    )


def lease(c: Content, s: Style) -> str:
    lines = ["COMMERCIAL LEASE", "", f"LANDLORD: {c.seller}", f"TENANT: {c.buyer}", "PREMISES: Unit 7, Canal Works", f"LEASE TERM: from {s.day(c.start)} to {s.day(c.end)}", "", "Consideration for the whole term:"]
    lines += [f"{letter}. {i.description}: {s.money(i.amount)}" for letter, i in zip("ABCDEFG", c.items, strict=False)]
    lines += [f"Total consideration: {s.money(c.total)}", ""]
    lines += [f"The parties confirm a total price of {s.money(c.claimed_total)} for the term.", ""] if c.claimed_total else []
    return "\n".join([*lines, "Tenant shall keep the premises in good repair. A late charge of 5% applies to sums in arrears."])


def statement_of_work(c: Content, s: Style) -> str:
    lines = [f"STATEMENT OF WORK {c.number}", "", f"This Statement of Work is made between {c.seller} (\"Service Provider\") and {c.buyer} (\"Customer\") under their master agreement.", "",
             f"SOW Effective Date: {s.day(c.start)}", f"SOW End Date: {s.day(c.end)}", "", "Deliverable | Fixed fee", "--- | ---"]
    lines += [f"{i.description} | {s.money(i.amount)}" for i in c.items]
    lines += [f"Total fixed fees | {s.money(c.total)}", ""]
    lines += [f"Not-to-exceed price in all: {s.money(c.claimed_total)}", ""] if c.claimed_total else []
    return "\n".join([*lines, "Invoices are issued on acceptance and are payable within thirty days."])


def purchase_agreement(c: Content, s: Style) -> str:
    parts = "; ".join(f"{i.description} at {s.money(i.amount)}" for i in c.items)
    claim = f" The overall price stated in the offer is {s.money(c.claimed_total)}." if c.claimed_total else ""
    return (
        f"PURCHASE AND SERVICE AGREEMENT\n\n{c.seller}, with its registered office at Rue du Lac 8, Geneva, hereinafter called the Vendor, and {c.buyer}, with its registered office at 3 Pier Road,\n"
        f"hereinafter called the Purchaser, have agreed as follows:\n\n1. Scope and price. The Vendor supplies {parts}. The total price is {s.money(c.total)}.{claim}\n\n"
        f"2. Duration. This agreement enters into force on {s.day(c.start)} and ends on {s.day(c.end)} without notice.\n\n3. Confidentiality. The parties keep all terms confidential."
    )


def licence(c: Content, s: Style) -> str:
    lines = ["LICENCE AGREEMENT - PARTICULARS", f"{'Licensor':<24}{c.seller}", f"{'Licensee':<24}{c.buyer}", f"{'Start of licence':<24}{s.day(c.start)}", f"{'Expiry of licence':<24}{s.day(c.end)}",
             f"{'Licence fees':<24}{s.money(c.total)} in total, made up of:"]
    lines += [f"    {i.description:<36}{s.money(i.amount)}" for i in c.items]
    lines += [f"{'Total fees':<24}{s.money(c.claimed_total)}"] if c.claimed_total else []
    return "\n".join([*lines, "The Licensee agrees to the terms on the following pages. Governing law: Denmark."])


LAYOUTS = {
    "invoice": (german_firm, enterprise_system, time_sheet, mail_text, hosting_bill),
    "receipt": (pharmacy, market, order_receipt, workshop),
    "contract": (building_contract, lease, statement_of_work, purchase_agreement, licence),
}
