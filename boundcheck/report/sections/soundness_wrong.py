"""What each layer of the checker was asked about."""

ASKED = {
    "proof": "a changed line of a proof, or a changed claim with its whole script",
    "reading": "a script, claim, witness, file or page that would mislead, and letters renamed or given another role",
    "input": "a malformed spec, number, claim, instance, run, text or model's folder",
    "falsification": "a changed claim about an adapter's smoothness",
    "measurement": "a run with a planted fault",
}
