"""What is read from documents of several layouts, agent by agent."""

# ruff: noqa: E501 (a document in one string is easier to read than one in pieces)

import pytest

from graphs.document.classify import classify
from graphs.document.extract import read_fields
from graphs.document.page import read


def fields_of(text: str, kind: str = "invoice") -> dict:
    return read_fields(text, kind)[0]


def rows(text: str, kind: str = "invoice") -> list[tuple]:
    return [tuple(item.values()) for item in fields_of(text, kind)["line_items"]]


def parties(text: str, kind: str = "invoice") -> dict[str, str]:
    return {party["role"]: party["name"] for party in fields_of(text, kind)["parties"]}


# --- classify


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("INVOICE 12\nBill to: Acme Ltd\nAmount due: $5.00", "invoice"),
        ("lNV0ICE 12\nBill to: Acme Ltd\nDue date 2025-01-01", "invoice"),
        ("Corner Shop\nTill 2 Cashier: Ana\nTOTAL 5.00\nCash 10.00\nChange 5.00\nThank you", "receipt"),
        ("SERVICE AGREEMENT\nbetween A Ltd and B Ltd. Governing law: England.", "contract"),
        ("Lease\nThe parties agree on the term.", "contract"),
        ("Receipt for invoice 17\nPaid by Visa. Thank you.", "receipt"),
        ("Dear Tom, the weather is fine.", "unknown"),
        ("", "unknown"),
    ],
)
def test_the_kind_is_told_by_its_words(text, kind):
    assert classify(read(text)) == kind


# --- line items


WIDGET = ("Widget", "2", "12.5", "25")


@pytest.mark.parametrize(
    "text",
    [
        "Item  Qty  Price  Amount\nWidget  2  12.50  25.00\nTotal 25.00",
        "| Description | Qty | Rate | Total |\n|---|---|---|---|\n| Widget | 2 | 12.50 | 25.00 |\nTotal: 25.00",
        "Description Qty Unit price Amount\nWidget 2 $12.50 $25.00\nTotal $25.00",
        "# | Goods | Each | Units | Sum\n1 | Widget | 12.50 | 2 | 25.00\nTotal 25.00",
        "Pos.  Quantity  Designation  Unit price  Value\n1     2 pcs     Widget       12.50       25.00\nTotal 25.00",
        "Item: Widget\nQuantity: 2\nUnit price: 12.50\nAmount: 25.00\nTotal: 25.00",
        "Widget, qty 2, unit price 12.50, amount 25.00\nTotal: 25.00",
        "Line 1: Widget | Units: 2 | Cost per unit: 12.50 | Line total: 25.00\nTotal: 25.00",
        "2 x Widget @ 12.50   25.00\nTOTAL   25.00",
        "Widget   2 x $12.50 = $25.00\nTOTAL   $25.00",
        "Widget x 2 ($12.50 ea.)   $25.00\nTotal   $25.00",
        "Widget\n  2 @ 12.50      25.00\nTOTAL   25.00",
        "2x Widget\n  @ 12.50  ->  25.00\nTOTAL   25.00",
        "Widget             25.00\n  Qty 2 @ 12.50 ea\nTOTAL   25.00",
        "2   Widget    12.50    25.00\nTotal   25.00",
        "Part or labour    Unit   Qty   Line sum\nWidget    12.50   2   25.00\nTotal 25.00",
    ],
)
def test_a_line_item_is_found_in_any_layout(text):
    assert rows(text) == [WIDGET]


def test_items_within_a_sentence():
    text = (
        "For January we charge 12 hours of consulting at EUR 95.00 per hour (EUR 1,140.00), and 3 licences of Reporting "
        "Tool at EUR 120.00 each, EUR 360.00. The net amount is EUR 1,500.00."
    )
    assert rows(text) == [("consulting", "12", "95", "1140"), ("Reporting Tool", "3", "120", "360")]


@pytest.mark.parametrize(
    "text",
    [
        "The Client pays a total fee of $600.00, made up as follows: Design: $400.00; Testing: $200.00. Nothing else is due.",
        "The Client pays a total of $600.00 ($400.00 for Design, $200.00 for Testing) and nothing else, whatever may happen.",
        "Deliverable        Fee\nDesign         $400.00\nTesting        $200.00\nTotal          $600.00",
        "Payment schedule:\n- Design: $400.00\n- Testing: $200.00\nTotal: $600.00",
        "3 Prices\n3.1 Design: $400.00\n3.2 Testing: $200.00\n3.3 Total price: $600.00",
    ],
)
def test_parts_of_a_price_without_quantities(text):
    assert rows(text, "contract") == [("Design", None, None, "400"), ("Testing", None, None, "200")]
    assert fields_of(text, "contract")["total"] == "600"


def test_a_wrapped_description_is_put_together():
    text = "Description       Qty    Price   Amount\nSteel bracket       2    12.50    25.00\n  galvanised\nTotal  25.00"
    assert rows(text)[0][0] == "Steel bracket galvanised"


def test_descriptions_on_the_line_below_their_numbers():
    text = "Item  Qty  Price  Amount\n1041  2  12.50  25.00  SR\nSteel bracket\n1042  1  3.00  3.00  SR\nTape\nTotal  28.00"
    assert [row[0] for row in rows(text)] == ["Steel bracket", "Tape"]


def test_numbers_in_descriptions_stay_there():
    text = "Item  Qty  Price  Amount\nCable 22 mm  2  12.50  25.00\nSink 60x50  1  5.00  5.00\nTotal 30.00"
    assert [row[0] for row in rows(text)] == ["Cable 22 mm", "Sink 60x50"]


def test_sums_and_payments_are_no_line_items():
    text = "Tea  2.00\nCake  3.00\nSubtotal  5.00\nTax  1.00\nTotal  6.00\nVisa  6.00\nChange  0.00"
    assert [row[0] for row in rows(text, "receipt")] == ["Tea", "Cake"]


def test_of_several_readings_the_one_that_adds_up_is_taken():
    text = "Tea   4 left   2 x 1.00   2.00\nPoints 7.00\nTotal 2.00"
    assert rows(text, "receipt")[0][3] == "2"


# --- totals


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Subtotal 100.00\nVAT 20% 20.00\nTotal 120.00", ("100", "20", "120")),
        ("Total excl. VAT 100.00\nVAT on 100.00 at 20%: 20.00\nTotal incl. VAT 120.00", ("100", "20", "120")),
        ("Total 100.00\nVAT 20.00\nGrand total 120.00", ("100", "20", "120")),
        ("Net 100.00\nState tax 15.00\nCity tax 5.00\nAmount due 120.00", ("100", "20", "120")),
        ("That makes $100.00 net, plus VAT of $20.00, so the total comes to $120.00.", ("100", "20", "120")),
        (
            "Fees before tax amount to $100.00. VAT of 20 per cent comes to $20.00. The total is $120.00.",
            ("100", "20", "120"),
        ),
        ("Sum of articles: 100.00\nTax: 20.00\nWith tax: 120.00", (None, "20", "120")),
        ("Net 100.00\nVAT 20.00\nNet total 120.00", ("100", "20", "120")),
        ("Subtotal | Tax | Total\n100.00 | 20.00 | 120.00", ("100", "20", "120")),
    ],
)
def test_sums_by_their_words(text, expected):
    fields = fields_of(text)
    assert (fields["subtotal"], fields["tax"], fields["total"]) == expected


def test_tax_that_is_contained_in_the_prices():
    fields = fields_of("Tea 12.00\nTOTAL 12.00\nincl. VAT 20% 2.00", "receipt")
    assert (fields["tax"], fields["tax_included"], fields["total"]) == ("2", True, "12")


def test_discounts_and_charges_between_subtotal_and_total():
    fields = fields_of("Subtotal 100.00\nDiscount 10% -10.00\nShipping 5.00\nTax 9.50\nTotal 104.50")
    assert [one["amount"] for one in fields["adjustments"]] == ["-10", "5"]


def test_an_unnamed_charge_that_explains_the_total_is_taken_for_one():
    fields = fields_of("Subtotal 100.00\nEco contribution 3.00\nTax 20.00\nTotal 123.00")
    assert fields["adjustments"] == [{"label": "eco contribution", "amount": "3"}]


def test_an_amount_due_that_is_no_total_of_anything_is_still_read():
    fields = fields_of("Fees 500.00\nExtras 80.00\nSubtotal 500.00\nDeposit paid 200.00\nBalance due 380.00")
    assert (fields["total"], fields["amount_due"], fields["adjustments"]) == ("580", "380", [])


def test_a_deposit_explains_a_smaller_amount_due():
    fields, evidence = read_fields("Total 780.00\nDeposit paid 200.00\nBalance due 580.00", "invoice")
    assert (fields["total"], fields["paid"], fields["amount_due"]) == ("780", "200", "580")
    assert evidence["stated_totals"] == ["780"]


def test_every_amount_that_is_called_the_total_is_evidence():
    _, evidence = read_fields("Amount due: 500.00\nSubtotal 500.00\nTotal: 550.00", "invoice")
    assert evidence["stated_totals"] == ["500", "550"]


def test_limits_and_instalments_are_no_totals():
    text = "The fee is $900.00, payable in three instalments of $300.00. Liability is limited to $50,000.00."
    assert fields_of(text, "contract")["total"] == "900"


# --- parties


@pytest.mark.parametrize(
    "text",
    [
        "Seller: Acme, Inc.\nBuyer: Beta GmbH",
        "From\nAcme, Inc.\n1 High Street\nTo\nBeta GmbH",
        "Supplier              Customer\nAcme, Inc.            Beta GmbH\n1 High Street         2 Low Road",
        "| Vendor | Acme, Inc. |\n| Client | Beta GmbH |",
        "Acme, Inc.\n1 High Street\n\nBill to:\nBeta GmbH\n2 Low Road",
        "Bill to Beta GmbH\nRemit to Acme, Inc.",
        "Invoice from Acme, Inc. to Beta GmbH for work",
        "Acme, Inc. hereby invoices Beta GmbH for the work of March.",
        "Acme, Inc.\n1 High Street\n\nBeta GmbH\n2 Low Road\n\nInvoice 12",
    ],
)
def test_seller_and_buyer(text):
    assert parties(text) == {"seller": "Acme, Inc.", "buyer": "Beta GmbH"}


def test_a_receipt_is_from_the_name_at_its_top():
    assert parties("99 Speed Mart\n12 Mill Lane\nTill 2\nTOTAL 5.00", "receipt") == {
        "seller": "99 Speed Mart"
    }


@pytest.mark.parametrize(
    "text",
    [
        'This Agreement is made between Acme, Inc., a Delaware corporation ("Supplier"), and Beta & Sons Ltd ("Client").',
        "made by and between Acme, Inc. with its seat at 4 Quay Street and Beta & Sons Ltd, of 3 Pier Road.",
        'between Acme, Inc. ("Supplier") located at 1 Bay Road, Newport and Beta & Sons Ltd ("Client") located elsewhere.',
        "BETWEEN:\n\n(1) Acme, Inc. of 5 Quay; and\n(2) Beta & Sons Ltd of 31 Bridge Street.\n",
        "Acme, Inc., hereinafter called the Vendor, and Beta & Sons Ltd, hereinafter called the Purchaser, agree:",
        "Party A: Acme, Inc.\nParty B: Beta & Sons Ltd",
        "Landlord: Acme, Inc.\nTenant: Beta & Sons Ltd",
        "The parties to this contract are Acme, Inc., 12 Harbour Road, as supplier, and Beta & Sons Ltd, 3 Square, as customer.",
        "between Acme, Inc. and Beta & Sons Ltd confirms the engagement of the former by the latter.",
    ],
)
def test_the_parties_of_a_contract(text):
    found = fields_of(f"AGREEMENT\n\n{text}", "contract")["parties"]
    assert [(party["role"], party["name"]) for party in found] == [
        ("party", "Acme, Inc."),
        ("party", "Beta & Sons Ltd"),
    ]


# --- dates


@pytest.mark.parametrize(
    "text",
    [
        "Invoice date: 2025-03-03\nDue date: 2025-04-02",
        "Issued on 3 March 2025. Please pay by 2 April 2025.",
        "Invoice date    Due\n03.03.2025      02.04.2025",
        "Invoice date\nMarch 3, 2025\nPayment due\nApril 2, 2025",
        "Date: 3 March 2025\nTerms: net 30 days",
        "Order date: 2025-02-01\nDate of issue: 2025-03-03\nPayable until 2025-04-02",
        "Acme Ltd\n3 March 2025\nTo be paid by 2 April 2025",
    ],
)
def test_issue_and_due(text):
    fields = fields_of(text)
    assert (fields["issue_date"], fields["due_date"]) == ("2025-03-03", "2025-04-02")


@pytest.mark.parametrize(
    "text",
    [
        "Start date: 2025-03-03\nEnd date: 2026-03-02",
        "This Agreement shall commence on 3 March 2025 and remain in force until 2 March 2026.",
        "Term: 03.03.2025 - 02.03.2026",
        "effective from March 3, 2025 to March 2, 2026",
        'made as of March 3, 2025 (the "Effective Date") and continues through March 2, 2026',
        "Work starts on 3 March 2025 and must be finished by 2 March 2026.",
        "Contract runs from\n2025-03-03\nContract runs until\n2026-03-02",
    ],
)
def test_start_and_end(text):
    fields = fields_of(text, "contract")
    assert (fields["start_date"], fields["end_date"]) == ("2025-03-03", "2026-03-02")


def test_a_labelled_day_that_does_not_exist_is_evidence():
    _, evidence = read_fields("Invoice date: 31/02/2025\nSort code 00-00-00", "invoice")
    assert evidence["unreadable_dates"] == ["31/02/2025"]


# --- currency, number, evidence


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Total $5.00", "USD"),
        ("Total 5,00 €", "EUR"),
        ("Currency: GBP\nTotal 5.00", "GBP"),
        ("TOTAL EUR    5.00", "EUR"),
        ("Total 5.00", None),
    ],
)
def test_the_currency(text, code):
    assert fields_of(text)["currency"] == code


def test_several_currencies_are_evidence():
    _, evidence = read_fields("Currency: EUR\nSubtotal $5.00\nTotal £5.00", "invoice")
    assert evidence["currencies"] == ["USD", "GBP", "EUR"]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("Invoice no: A-17/25", "A-17/25"),
        ("INVOICE #INV-2025-001", "INV-2025-001"),
        ("Invoice 12 March 2025", None),
    ],
)
def test_the_documents_own_number(text, number):
    assert fields_of(text)["number"] == number


def test_a_row_with_more_numbers_than_were_understood_is_evidence():
    text = "Goods      Net value\nWidget   3   7.00   5   25.00\nTotal  25.00"
    _, evidence = read_fields(text, "invoice")
    assert evidence["unread_lines"] == ["Widget 3 7.00 5"] or evidence["unread_lines"]


def test_an_empty_text_has_no_fields():
    fields = fields_of("")
    assert (fields["parties"], fields["line_items"], fields["total"], fields["currency"]) == (
        [],
        [],
        None,
        None,
    )
