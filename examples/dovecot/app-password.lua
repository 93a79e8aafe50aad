-- SPDX-License-Identifier: BSD-2-Clause
-- /etc/dovecot/app-password.lua: makes Dovecot check app passwords. The same for 2.3 and 2.4.

-- Opened once in each process. If the configuration is broken, Dovecot starts, every login is
-- "unavailable", and the log says why.
local front = require("app_password").new("/etc/app-password/app-password.conf")

-- Checks a login with a password. An error raised here is an internal failure for Dovecot, and
-- "temporarily unavailable" for the client.
function auth_password_verify(request, password)
  local verdict, name, why = front:verify {
    user = request.user,
    password = password,
    service = request.protocol or request.service, -- 2.4, 2.3
    client = request.remote_ip,
  }
  if verdict == "accepted" then
    -- From now on, this is the user's name, whatever was typed.
    return dovecot.auth.PASSDB_RESULT_OK, { user = name }
  elseif verdict == "refused" then
    return dovecot.auth.PASSDB_RESULT_PASSWORD_MISMATCH, ""
  end
  return dovecot.auth.PASSDB_RESULT_INTERNAL_FAILURE, "app-password: " .. (why or "no verdict")
end

-- Answers requests for a stored password (CRAM-MD5, "doveadm auth lookup", a userdb that asks
-- whether a user exists): this passdb can only check passwords.
function auth_passdb_lookup(request)
  return dovecot.auth.PASSDB_RESULT_SCHEME_NOT_AVAILABLE, ""
end
