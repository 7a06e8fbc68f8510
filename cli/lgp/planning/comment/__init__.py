"""`lgp plan --markdown`: the text of a comment on a pull request, in GitHub's Markdown.

`markup` makes of anyone's text one that stays a text, `bounded` keeps to the length that GitHub takes;
`blocks` has what differs as lines of a diff, `grave` what is replaced, destroyed or refused. `difference` and
`overview` are the two comments: of a change, of a plan.
"""
