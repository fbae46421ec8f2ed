// One client connection.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "server/http/router.h"
#include "server/http/server.h"

namespace rf::server {

/// Reads requests from the socket and answers them, one after another, until either side closes. Never throws.
boost::asio::awaitable<void> ServeConnection(boost::asio::ip::tcp::socket socket, const Router& router,
                                             const HttpLimits& limits);

}  // namespace rf::server
