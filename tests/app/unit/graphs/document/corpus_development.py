"""The development split: the words and layouts that were in sight while the extractor was written."""

# fmt: off
# ruff: noqa: E501 (a layout is compared with the text it makes most easily when a printed line is a line here)

from corpus_content import Content, Vocabulary
from corpus_style import Style

WORDS = Vocabulary(
    companies=(
        "Northwind Traders Ltd", "Alder & Finch LLC", "Kessler Maschinenbau GmbH", "Blue Harbor Inc.",
        "Studio Lumière SARL", "Ortega Logistics S.L.", "Pine Street Analytics", "Vandermeer Groep B.V.",
    ),
    shops=("Corner Grocery", "Marlow Hardware", "Café Zentral", "Sunrise Pharmacy"),
    wares=("Steel bracket 40 mm", "Packing tape", "LED panel", "Cable drum", "Safety gloves", "Office chair", "Toner cartridge"),
    groceries=("Oat milk", "Rye bread", "Apples", "Coffee beans", "Butter", "Paper towels", "Batteries AA"),
    services=("Data migration", "On-site support", "Logo design", "Network audit", "Copy editing", "Training day"),
    phases=("Discovery phase", "Prototype", "Roll-out", "Acceptance testing", "Documentation"),
)

MONEYS = {
    "USD": ((",", ".", "{symbol}{amount}"), (",", ".", "{code} {amount}")),
    "EUR": ((".", ",", "{amount} {symbol}"), (" ", ",", "{amount} {code}"), (",", ".", "{symbol}{amount}")),
    "GBP": ((",", ".", "{symbol}{amount}"),),
}
DATES = {
    "USD": ("{month} {d}, {y}", "{m:02}/{d:02}/{y}", "{y}-{m:02}-{d:02}"),
    "EUR": ("{d:02}.{m:02}.{y}", "{d} {month} {y}", "{y}-{m:02}-{d:02}"),
    "GBP": ("{d:02}/{m:02}/{y}", "{d} {month} {y}"),
}


def invoice_labels(c: Content, s: Style) -> str:
    lines = ["INVOICE", "", f"Invoice No: {c.number}", f"Invoice date: {s.day(c.issue)}", f"Due date: {s.day(c.due)}",
             f"Seller: {c.seller}", f"Buyer: {c.buyer}", ""]
    if c.claimed_total is not None:
        lines.insert(2, f"Amount due: {s.money(c.claimed_total)}")
    for index, item in enumerate(c.items, 1):
        lines += [f"Item {index}: {item.description}", f"Quantity: {s.count(item.quantity)}",
                  f"Unit price: {s.money(item.unit_price)}", f"Amount: {s.money(item.amount)}"]
    lines += ["", f"Subtotal: {s.money(c.subtotal)}", f"VAT ({c.tax_rate}%): {s.money(c.tax)}", f"Total: {s.money(c.total)}"]
    return "\n".join(lines)


def invoice_table(c: Content, s: Style) -> str:
    lines = [f"{c.seller:<50}TAX INVOICE", "12 Mill Lane", "", "Bill to:", c.buyer, "48 High Road", "",
             f"{'Number':<16}{'Date':<22}{'Payment due'}", f"{c.number:<16}{s.day(c.issue):<22}{s.day(c.due)}", "",
             f"{'Description':<28}{'Qty':>6}{'Price':>14}{'Amount':>16}"]
    lines += [f"{i.description:<28}{s.count(i.quantity):>6}{s.bare(i.unit_price):>14}{s.bare(i.amount):>16}" for i in c.items]
    lines += ["", f"{'Sub-total':>48}{s.bare(c.subtotal):>16}", f"{f'Sales tax {c.tax_rate}%':>48}{s.bare(c.tax):>16}",
              f"{f'TOTAL {s.currency}':>48}{s.bare(c.total):>16}"]
    if c.claimed_total is not None:
        lines += ["", f"Please transfer the total of {s.money(c.claimed_total)} by {s.day(c.due)}."]
    return "\n".join(lines)


def receipt_slip(c: Content, s: Style) -> str:
    lines = [c.seller, "Till 4   Cashier: Ana", f"{s.day(c.issue)}  14:02", ""]
    lines += [f"{s.count(i.quantity)} x {i.description} @ {s.bare(i.unit_price)}   {s.bare(i.amount)}" for i in c.items]
    lines += ["", f"Subtotal   {s.bare(c.subtotal)}", f"Tax {c.tax_rate}%   {s.bare(c.tax)}", f"TOTAL   {s.money(c.total)}"]
    lines += [f"Card   {s.money(c.claimed_total or c.total)}", "Thank you for your visit!"]
    if c.claimed_total is not None:
        lines.insert(3, f"Total to pay {s.money(c.claimed_total)}")
    return "\n".join(lines)


def receipt_labels(c: Content, s: Style) -> str:
    lines = ["CASH RECEIPT", f"Receipt no. {c.number}", f"Merchant: {c.seller}", f"Date: {s.day(c.issue)}", f"Currency: {s.currency}",
             "", "Item | Qty | Each | Sum"]
    lines += [f"{i.description} | {s.count(i.quantity)} | {s.bare(i.unit_price)} | {s.bare(i.amount)}" for i in c.items]
    lines += ["", f"Net: {s.bare(c.subtotal)}", f"Tax: {s.bare(c.tax)}", f"Total paid: {s.bare(c.total)}"]
    if c.claimed_total is not None:
        lines.insert(5, f"Total: {s.bare(c.claimed_total)}")
    return "\n".join(lines)


def contract_prose(c: Content, s: Style) -> str:
    fees = "; ".join(f"{i.description}: {s.money(i.amount)}" for i in c.items)
    extra = f" The parties confirm the total fee of {s.money(c.claimed_total)}." if c.claimed_total is not None else ""
    return (
        f"SERVICE AGREEMENT\n\nThis Agreement is entered into between {c.seller}, a company with its seat at 4 Quay Street "
        f"(the \"Supplier\"), and {c.buyer} (the \"Client\").\n\n1. Term. This Agreement shall commence on {s.day(c.start)} and "
        f"shall remain in force until {s.day(c.end)}, unless terminated earlier.\n\n2. Fees. The Client shall pay the Supplier a "
        f"total fee of {s.money(c.total)}, made up as follows: {fees}.{extra}\n\n3. Liability. Neither party is liable for "
        f"indirect damage.\n\n4. Governing law. This Agreement is governed by the laws of the place of the Supplier."
    )


def contract_sheet(c: Content, s: Style) -> str:
    lines = ["CONTRACT SUMMARY", "", f"Contract number: {c.number}", f"Party A: {c.seller}", f"Party B: {c.buyer}",
             f"Start date: {s.day(c.start)}", f"End date: {s.day(c.end)}", "", "Schedule of fees",
             f"{'Milestone':<30}{'Amount':>16}"]
    lines += [f"{i.description:<30}{s.money(i.amount):>16}" for i in c.items]
    lines += [f"{'Total contract value':<30}{s.money(c.total):>16}"]
    if c.claimed_total is not None:
        lines.insert(3, f"Contract value: {s.money(c.claimed_total)}")
    return "\n".join(lines)


LAYOUTS = {
    "invoice": (invoice_labels, invoice_table),
    "receipt": (receipt_slip, receipt_labels),
    "contract": (contract_prose, contract_sheet),
}
