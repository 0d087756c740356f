from datetime import UTC, datetime

import pytest
from standardwebhooks import Webhook

from coordination.deliveries.signing import headers_for, key_of, make_secret

# The example of the specification's reference libraries.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
BODY = b'{"test": 2432232314}'
AT = datetime(2021, 2, 25, 1, 15, 31, tzinfo=UTC)


def test_headers_are_those_of_the_reference_example():
    assert headers_for(ID, BODY, secrets=[SECRET], at=AT) == {
        "webhook-id": ID,
        "webhook-timestamp": str(int(AT.timestamp())),
        "webhook-signature": Webhook(SECRET).sign(ID, AT, BODY.decode()),
    }


def test_headers_of_two_secrets_hold_two_signatures_parted_by_a_space():
    other = make_secret()

    both = headers_for(ID, BODY, secrets=[SECRET, other], at=AT)["webhook-signature"]

    assert both == " ".join(
        headers_for(ID, BODY, secrets=[one], at=AT)["webhook-signature"] for one in (SECRET, other)
    )


@pytest.mark.parametrize("secret", ["MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_*", "whsec_abc"])
def test_key_of_what_is_no_secret_refuses(secret: str):
    with pytest.raises(ValueError):
        key_of(secret)
