/**
 * @generated SignedSource<<47ed9289030c0a54abc661c7fecf85bd>>
 * @lightSyntaxTransform
 */

/* tslint:disable */
/* eslint-disable */
// @ts-nocheck

import type { ConcreteRequest } from 'relay-runtime';
export type ContactChannelAction = "BLOCK" | "START" | "UNBLOCK" | "UPDATE_BLOCK";
export type ContactStatus = "ACTIVE" | "BLOCKED";
export type ConversationAction = "ACCEPT" | "DECLINE" | "END" | "NOTE" | "OFFER" | "REPLY" | "TAKE" | "TRANSFER";
export type ConversationEndReason = "BLOCKED" | "CHANNEL_ARCHIVED" | "INACTIVITY" | "RESOLVED";
export type ConversationStatus = "ACTIVE" | "ASSIGNING" | "BLOCKED" | "BOT" | "ENDED" | "WAITING";
export type inboxRelayListsQuery$variables = {
  me: string;
};
export type inboxRelayListsQuery$data = {
  readonly blocked: {
    readonly edges: ReadonlyArray<{
      readonly node: {
        readonly allowedActions: ReadonlyArray<ConversationAction>;
        readonly assignee: {
          readonly id: string;
          readonly name: string | null;
        } | null;
        readonly blocked: boolean;
        readonly contact: {
          readonly id: string;
          readonly name: string | null;
        };
        readonly endReason: ConversationEndReason | null;
        readonly id: string;
        readonly messages: {
          readonly edges: ReadonlyArray<{
            readonly node: {
              readonly id: string;
              readonly text: string | null;
            };
          }>;
        };
        readonly offerExpiresAt: string | null;
        readonly offeredTo: {
          readonly id: string;
          readonly name: string | null;
        } | null;
        readonly sortKey: string;
        readonly status: ConversationStatus;
      };
    }>;
  };
  readonly blockedContacts: {
    readonly edges: ReadonlyArray<{
      readonly node: {
        readonly channels: ReadonlyArray<{
          readonly activeBlock: {
            readonly id: string;
          } | null;
          readonly allowedActions: ReadonlyArray<ContactChannelAction>;
          readonly channel: {
            readonly id: string;
          };
          readonly id: string;
          readonly reachable: boolean;
        }>;
        readonly id: string;
        readonly name: string | null;
        readonly sortKey: string;
        readonly status: ContactStatus;
      };
    }>;
  };
  readonly blocks: {
    readonly edges: ReadonlyArray<{
      readonly node: {
        readonly active: boolean;
        readonly contactChannel: {
          readonly contact: {
            readonly id: string;
            readonly name: string | null;
          };
          readonly id: string;
        };
        readonly expiresAt: string | null;
        readonly id: string;
        readonly notes: string | null;
        readonly sortKey: string;
        readonly suppressedMessageCount: number;
      };
    }>;
  };
  readonly bot: {
    readonly edges: ReadonlyArray<{
      readonly node: {
        readonly allowedActions: ReadonlyArray<ConversationAction>;
        readonly assignee: {
          readonly id: string;
          readonly name: string | null;
        } | null;
        readonly blocked: boolean;
        readonly contact: {
          readonly id: string;
          readonly name: string | null;
        };
        readonly endReason: ConversationEndReason | null;
        readonly id: string;
        readonly messages: {
          readonly edges: ReadonlyArray<{
            readonly node: {
              readonly id: string;
              readonly text: string | null;
            };
          }>;
        };
        readonly offerExpiresAt: string | null;
        readonly offeredTo: {
          readonly id: string;
          readonly name: string | null;
        } | null;
        readonly sortKey: string;
        readonly status: ConversationStatus;
      };
    }>;
  };
  readonly contacts: {
    readonly edges: ReadonlyArray<{
      readonly node: {
        readonly channels: ReadonlyArray<{
          readonly activeBlock: {
            readonly id: string;
          } | null;
          readonly allowedActions: ReadonlyArray<ContactChannelAction>;
          readonly channel: {
            readonly id: string;
          };
          readonly id: string;
          readonly reachable: boolean;
        }>;
        readonly id: string;
        readonly name: string | null;
        readonly sortKey: string;
        readonly status: ContactStatus;
      };
    }>;
  };
  readonly ended: {
    readonly edges: ReadonlyArray<{
      readonly node: {
        readonly allowedActions: ReadonlyArray<ConversationAction>;
        readonly assignee: {
          readonly id: string;
          readonly name: string | null;
        } | null;
        readonly blocked: boolean;
        readonly contact: {
          readonly id: string;
          readonly name: string | null;
        };
        readonly endReason: ConversationEndReason | null;
        readonly id: string;
        readonly messages: {
          readonly edges: ReadonlyArray<{
            readonly node: {
              readonly id: string;
              readonly text: string | null;
            };
          }>;
        };
        readonly offerExpiresAt: string | null;
        readonly offeredTo: {
          readonly id: string;
          readonly name: string | null;
        } | null;
        readonly sortKey: string;
        readonly status: ConversationStatus;
      };
    }>;
  };
  readonly mine: {
    readonly edges: ReadonlyArray<{
      readonly node: {
        readonly allowedActions: ReadonlyArray<ConversationAction>;
        readonly assignee: {
          readonly id: string;
          readonly name: string | null;
        } | null;
        readonly blocked: boolean;
        readonly contact: {
          readonly id: string;
          readonly name: string | null;
        };
        readonly endReason: ConversationEndReason | null;
        readonly id: string;
        readonly messages: {
          readonly edges: ReadonlyArray<{
            readonly node: {
              readonly id: string;
              readonly text: string | null;
            };
          }>;
        };
        readonly offerExpiresAt: string | null;
        readonly offeredTo: {
          readonly id: string;
          readonly name: string | null;
        } | null;
        readonly sortKey: string;
        readonly status: ConversationStatus;
      };
    }>;
  };
  readonly offered: {
    readonly edges: ReadonlyArray<{
      readonly node: {
        readonly allowedActions: ReadonlyArray<ConversationAction>;
        readonly assignee: {
          readonly id: string;
          readonly name: string | null;
        } | null;
        readonly blocked: boolean;
        readonly contact: {
          readonly id: string;
          readonly name: string | null;
        };
        readonly endReason: ConversationEndReason | null;
        readonly id: string;
        readonly messages: {
          readonly edges: ReadonlyArray<{
            readonly node: {
              readonly id: string;
              readonly text: string | null;
            };
          }>;
        };
        readonly offerExpiresAt: string | null;
        readonly offeredTo: {
          readonly id: string;
          readonly name: string | null;
        } | null;
        readonly sortKey: string;
        readonly status: ConversationStatus;
      };
    }>;
  };
  readonly waiting: {
    readonly edges: ReadonlyArray<{
      readonly node: {
        readonly allowedActions: ReadonlyArray<ConversationAction>;
        readonly assignee: {
          readonly id: string;
          readonly name: string | null;
        } | null;
        readonly blocked: boolean;
        readonly contact: {
          readonly id: string;
          readonly name: string | null;
        };
        readonly endReason: ConversationEndReason | null;
        readonly id: string;
        readonly messages: {
          readonly edges: ReadonlyArray<{
            readonly node: {
              readonly id: string;
              readonly text: string | null;
            };
          }>;
        };
        readonly offerExpiresAt: string | null;
        readonly offeredTo: {
          readonly id: string;
          readonly name: string | null;
        } | null;
        readonly sortKey: string;
        readonly status: ConversationStatus;
      };
    }>;
  };
};
export type inboxRelayListsQuery = {
  response: inboxRelayListsQuery$data;
  variables: inboxRelayListsQuery$variables;
};

const node: ConcreteRequest = (function(){
var v0 = [
  {
    "defaultValue": null,
    "kind": "LocalArgument",
    "name": "me"
  }
],
v1 = {
  "alias": null,
  "args": null,
  "kind": "ScalarField",
  "name": "id",
  "storageKey": null
},
v2 = {
  "alias": null,
  "args": null,
  "kind": "ScalarField",
  "name": "sortKey",
  "storageKey": null
},
v3 = {
  "alias": null,
  "args": null,
  "kind": "ScalarField",
  "name": "status",
  "storageKey": null
},
v4 = {
  "alias": null,
  "args": null,
  "kind": "ScalarField",
  "name": "allowedActions",
  "storageKey": null
},
v5 = {
  "alias": null,
  "args": null,
  "kind": "ScalarField",
  "name": "name",
  "storageKey": null
},
v6 = [
  (v1/*:: as any*/),
  (v5/*:: as any*/)
],
v7 = {
  "alias": null,
  "args": null,
  "concreteType": "Contact",
  "kind": "LinkedField",
  "name": "contact",
  "plural": false,
  "selections": (v6/*:: as any*/),
  "storageKey": null
},
v8 = {
  "alias": null,
  "args": null,
  "kind": "ScalarField",
  "name": "__typename",
  "storageKey": null
},
v9 = {
  "alias": null,
  "args": null,
  "kind": "ScalarField",
  "name": "cursor",
  "storageKey": null
},
v10 = {
  "alias": null,
  "args": null,
  "concreteType": "PageInfo",
  "kind": "LinkedField",
  "name": "pageInfo",
  "plural": false,
  "selections": [
    {
      "alias": null,
      "args": null,
      "kind": "ScalarField",
      "name": "endCursor",
      "storageKey": null
    },
    {
      "alias": null,
      "args": null,
      "kind": "ScalarField",
      "name": "hasNextPage",
      "storageKey": null
    }
  ],
  "storageKey": null
},
v11 = [
  {
    "alias": null,
    "args": null,
    "concreteType": "QueryConversationsConnectionEdge",
    "kind": "LinkedField",
    "name": "edges",
    "plural": true,
    "selections": [
      {
        "alias": null,
        "args": null,
        "concreteType": "Conversation",
        "kind": "LinkedField",
        "name": "node",
        "plural": false,
        "selections": [
          (v1/*:: as any*/),
          (v2/*:: as any*/),
          (v3/*:: as any*/),
          {
            "alias": null,
            "args": null,
            "kind": "ScalarField",
            "name": "blocked",
            "storageKey": null
          },
          (v4/*:: as any*/),
          {
            "alias": null,
            "args": null,
            "kind": "ScalarField",
            "name": "offerExpiresAt",
            "storageKey": null
          },
          {
            "alias": null,
            "args": null,
            "kind": "ScalarField",
            "name": "endReason",
            "storageKey": null
          },
          {
            "alias": null,
            "args": null,
            "concreteType": "Agent",
            "kind": "LinkedField",
            "name": "assignee",
            "plural": false,
            "selections": (v6/*:: as any*/),
            "storageKey": null
          },
          {
            "alias": null,
            "args": null,
            "concreteType": "Agent",
            "kind": "LinkedField",
            "name": "offeredTo",
            "plural": false,
            "selections": (v6/*:: as any*/),
            "storageKey": null
          },
          (v7/*:: as any*/),
          {
            "alias": null,
            "args": [
              {
                "kind": "Literal",
                "name": "last",
                "value": 1
              }
            ],
            "concreteType": "ConversationMessagesConnection",
            "kind": "LinkedField",
            "name": "messages",
            "plural": false,
            "selections": [
              {
                "alias": null,
                "args": null,
                "concreteType": "ConversationMessagesConnectionEdge",
                "kind": "LinkedField",
                "name": "edges",
                "plural": true,
                "selections": [
                  {
                    "alias": null,
                    "args": null,
                    "concreteType": "Message",
                    "kind": "LinkedField",
                    "name": "node",
                    "plural": false,
                    "selections": [
                      (v1/*:: as any*/),
                      {
                        "alias": null,
                        "args": null,
                        "kind": "ScalarField",
                        "name": "text",
                        "storageKey": null
                      }
                    ],
                    "storageKey": null
                  }
                ],
                "storageKey": null
              }
            ],
            "storageKey": "messages(last:1)"
          },
          (v8/*:: as any*/)
        ],
        "storageKey": null
      },
      (v9/*:: as any*/)
    ],
    "storageKey": null
  },
  (v10/*:: as any*/)
],
v12 = [
  (v1/*:: as any*/)
],
v13 = [
  {
    "alias": null,
    "args": null,
    "concreteType": "QueryContactsConnectionEdge",
    "kind": "LinkedField",
    "name": "edges",
    "plural": true,
    "selections": [
      {
        "alias": null,
        "args": null,
        "concreteType": "Contact",
        "kind": "LinkedField",
        "name": "node",
        "plural": false,
        "selections": [
          (v1/*:: as any*/),
          (v2/*:: as any*/),
          (v5/*:: as any*/),
          (v3/*:: as any*/),
          {
            "alias": null,
            "args": null,
            "concreteType": "ContactChannel",
            "kind": "LinkedField",
            "name": "channels",
            "plural": true,
            "selections": [
              (v1/*:: as any*/),
              {
                "alias": null,
                "args": null,
                "kind": "ScalarField",
                "name": "reachable",
                "storageKey": null
              },
              (v4/*:: as any*/),
              {
                "alias": null,
                "args": null,
                "concreteType": "Channel",
                "kind": "LinkedField",
                "name": "channel",
                "plural": false,
                "selections": (v12/*:: as any*/),
                "storageKey": null
              },
              {
                "alias": null,
                "args": null,
                "concreteType": "Block",
                "kind": "LinkedField",
                "name": "activeBlock",
                "plural": false,
                "selections": (v12/*:: as any*/),
                "storageKey": null
              }
            ],
            "storageKey": null
          },
          (v8/*:: as any*/)
        ],
        "storageKey": null
      },
      (v9/*:: as any*/)
    ],
    "storageKey": null
  },
  (v10/*:: as any*/)
],
v14 = [
  {
    "alias": null,
    "args": null,
    "concreteType": "QueryBlocksConnectionEdge",
    "kind": "LinkedField",
    "name": "edges",
    "plural": true,
    "selections": [
      {
        "alias": null,
        "args": null,
        "concreteType": "Block",
        "kind": "LinkedField",
        "name": "node",
        "plural": false,
        "selections": [
          (v1/*:: as any*/),
          (v2/*:: as any*/),
          {
            "alias": null,
            "args": null,
            "kind": "ScalarField",
            "name": "active",
            "storageKey": null
          },
          {
            "alias": null,
            "args": null,
            "kind": "ScalarField",
            "name": "notes",
            "storageKey": null
          },
          {
            "alias": null,
            "args": null,
            "kind": "ScalarField",
            "name": "expiresAt",
            "storageKey": null
          },
          {
            "alias": null,
            "args": null,
            "kind": "ScalarField",
            "name": "suppressedMessageCount",
            "storageKey": null
          },
          {
            "alias": null,
            "args": null,
            "concreteType": "ContactChannel",
            "kind": "LinkedField",
            "name": "contactChannel",
            "plural": false,
            "selections": [
              (v1/*:: as any*/),
              (v7/*:: as any*/)
            ],
            "storageKey": null
          },
          (v8/*:: as any*/)
        ],
        "storageKey": null
      },
      (v9/*:: as any*/)
    ],
    "storageKey": null
  },
  (v10/*:: as any*/)
],
v15 = {
  "kind": "Literal",
  "name": "first",
  "value": 100
},
v16 = [
  {
    "fields": [
      {
        "kind": "Variable",
        "name": "assigneeId",
        "variableName": "me"
      },
      {
        "kind": "Literal",
        "name": "status",
        "value": [
          "ACTIVE"
        ]
      }
    ],
    "kind": "ObjectValue",
    "name": "filter"
  },
  (v15/*:: as any*/)
],
v17 = [
  {
    "kind": "Literal",
    "name": "filter",
    "value": {
      "status": [
        "WAITING"
      ]
    }
  },
  (v15/*:: as any*/)
],
v18 = [
  {
    "kind": "Literal",
    "name": "filter",
    "value": {
      "status": [
        "ASSIGNING"
      ]
    }
  },
  (v15/*:: as any*/)
],
v19 = [
  {
    "kind": "Literal",
    "name": "filter",
    "value": {
      "status": [
        "BOT"
      ]
    }
  },
  (v15/*:: as any*/)
],
v20 = [
  {
    "kind": "Literal",
    "name": "filter",
    "value": {
      "status": [
        "ENDED"
      ]
    }
  },
  (v15/*:: as any*/)
],
v21 = [
  {
    "kind": "Literal",
    "name": "filter",
    "value": {
      "status": [
        "BLOCKED"
      ]
    }
  },
  (v15/*:: as any*/)
],
v22 = [
  (v15/*:: as any*/)
],
v23 = [
  {
    "kind": "Literal",
    "name": "filter",
    "value": {
      "status": "BLOCKED"
    }
  },
  (v15/*:: as any*/)
],
v24 = [
  {
    "kind": "Literal",
    "name": "filter",
    "value": {
      "active": true
    }
  },
  (v15/*:: as any*/)
];
return {
  "fragment": {
    "argumentDefinitions": (v0/*:: as any*/),
    "kind": "Fragment",
    "metadata": null,
    "name": "inboxRelayListsQuery",
    "selections": [
      {
        "alias": "mine",
        "args": null,
        "concreteType": "QueryConversationsConnection",
        "kind": "LinkedField",
        "name": "__inboxRelayLists_mine_connection",
        "plural": false,
        "selections": (v11/*:: as any*/),
        "storageKey": null
      },
      {
        "alias": "waiting",
        "args": null,
        "concreteType": "QueryConversationsConnection",
        "kind": "LinkedField",
        "name": "__inboxRelayLists_waiting_connection",
        "plural": false,
        "selections": (v11/*:: as any*/),
        "storageKey": null
      },
      {
        "alias": "offered",
        "args": null,
        "concreteType": "QueryConversationsConnection",
        "kind": "LinkedField",
        "name": "__inboxRelayLists_offered_connection",
        "plural": false,
        "selections": (v11/*:: as any*/),
        "storageKey": null
      },
      {
        "alias": "bot",
        "args": null,
        "concreteType": "QueryConversationsConnection",
        "kind": "LinkedField",
        "name": "__inboxRelayLists_bot_connection",
        "plural": false,
        "selections": (v11/*:: as any*/),
        "storageKey": null
      },
      {
        "alias": "ended",
        "args": null,
        "concreteType": "QueryConversationsConnection",
        "kind": "LinkedField",
        "name": "__inboxRelayLists_ended_connection",
        "plural": false,
        "selections": (v11/*:: as any*/),
        "storageKey": null
      },
      {
        "alias": "blocked",
        "args": null,
        "concreteType": "QueryConversationsConnection",
        "kind": "LinkedField",
        "name": "__inboxRelayLists_blocked_connection",
        "plural": false,
        "selections": (v11/*:: as any*/),
        "storageKey": null
      },
      {
        "alias": "contacts",
        "args": null,
        "concreteType": "QueryContactsConnection",
        "kind": "LinkedField",
        "name": "__inboxRelayLists_contacts_connection",
        "plural": false,
        "selections": (v13/*:: as any*/),
        "storageKey": null
      },
      {
        "alias": "blockedContacts",
        "args": null,
        "concreteType": "QueryContactsConnection",
        "kind": "LinkedField",
        "name": "__inboxRelayLists_blockedContacts_connection",
        "plural": false,
        "selections": (v13/*:: as any*/),
        "storageKey": null
      },
      {
        "alias": "blocks",
        "args": null,
        "concreteType": "QueryBlocksConnection",
        "kind": "LinkedField",
        "name": "__inboxRelayLists_blocks_connection",
        "plural": false,
        "selections": (v14/*:: as any*/),
        "storageKey": null
      }
    ],
    "type": "Query",
    "abstractKey": null
  },
  "kind": "Request",
  "operation": {
    "argumentDefinitions": (v0/*:: as any*/),
    "kind": "Operation",
    "name": "inboxRelayListsQuery",
    "selections": [
      {
        "alias": "mine",
        "args": (v16/*:: as any*/),
        "concreteType": "QueryConversationsConnection",
        "kind": "LinkedField",
        "name": "conversations",
        "plural": false,
        "selections": (v11/*:: as any*/),
        "storageKey": null
      },
      {
        "alias": "mine",
        "args": (v16/*:: as any*/),
        "filters": [],
        "handle": "connection",
        "key": "inboxRelayLists_mine",
        "kind": "LinkedHandle",
        "name": "conversations"
      },
      {
        "alias": "waiting",
        "args": (v17/*:: as any*/),
        "concreteType": "QueryConversationsConnection",
        "kind": "LinkedField",
        "name": "conversations",
        "plural": false,
        "selections": (v11/*:: as any*/),
        "storageKey": "conversations(filter:{\"status\":[\"WAITING\"]},first:100)"
      },
      {
        "alias": "waiting",
        "args": (v17/*:: as any*/),
        "filters": [],
        "handle": "connection",
        "key": "inboxRelayLists_waiting",
        "kind": "LinkedHandle",
        "name": "conversations"
      },
      {
        "alias": "offered",
        "args": (v18/*:: as any*/),
        "concreteType": "QueryConversationsConnection",
        "kind": "LinkedField",
        "name": "conversations",
        "plural": false,
        "selections": (v11/*:: as any*/),
        "storageKey": "conversations(filter:{\"status\":[\"ASSIGNING\"]},first:100)"
      },
      {
        "alias": "offered",
        "args": (v18/*:: as any*/),
        "filters": [],
        "handle": "connection",
        "key": "inboxRelayLists_offered",
        "kind": "LinkedHandle",
        "name": "conversations"
      },
      {
        "alias": "bot",
        "args": (v19/*:: as any*/),
        "concreteType": "QueryConversationsConnection",
        "kind": "LinkedField",
        "name": "conversations",
        "plural": false,
        "selections": (v11/*:: as any*/),
        "storageKey": "conversations(filter:{\"status\":[\"BOT\"]},first:100)"
      },
      {
        "alias": "bot",
        "args": (v19/*:: as any*/),
        "filters": [],
        "handle": "connection",
        "key": "inboxRelayLists_bot",
        "kind": "LinkedHandle",
        "name": "conversations"
      },
      {
        "alias": "ended",
        "args": (v20/*:: as any*/),
        "concreteType": "QueryConversationsConnection",
        "kind": "LinkedField",
        "name": "conversations",
        "plural": false,
        "selections": (v11/*:: as any*/),
        "storageKey": "conversations(filter:{\"status\":[\"ENDED\"]},first:100)"
      },
      {
        "alias": "ended",
        "args": (v20/*:: as any*/),
        "filters": [],
        "handle": "connection",
        "key": "inboxRelayLists_ended",
        "kind": "LinkedHandle",
        "name": "conversations"
      },
      {
        "alias": "blocked",
        "args": (v21/*:: as any*/),
        "concreteType": "QueryConversationsConnection",
        "kind": "LinkedField",
        "name": "conversations",
        "plural": false,
        "selections": (v11/*:: as any*/),
        "storageKey": "conversations(filter:{\"status\":[\"BLOCKED\"]},first:100)"
      },
      {
        "alias": "blocked",
        "args": (v21/*:: as any*/),
        "filters": [],
        "handle": "connection",
        "key": "inboxRelayLists_blocked",
        "kind": "LinkedHandle",
        "name": "conversations"
      },
      {
        "alias": null,
        "args": (v22/*:: as any*/),
        "concreteType": "QueryContactsConnection",
        "kind": "LinkedField",
        "name": "contacts",
        "plural": false,
        "selections": (v13/*:: as any*/),
        "storageKey": "contacts(first:100)"
      },
      {
        "alias": null,
        "args": (v22/*:: as any*/),
        "filters": [],
        "handle": "connection",
        "key": "inboxRelayLists_contacts",
        "kind": "LinkedHandle",
        "name": "contacts"
      },
      {
        "alias": "blockedContacts",
        "args": (v23/*:: as any*/),
        "concreteType": "QueryContactsConnection",
        "kind": "LinkedField",
        "name": "contacts",
        "plural": false,
        "selections": (v13/*:: as any*/),
        "storageKey": "contacts(filter:{\"status\":\"BLOCKED\"},first:100)"
      },
      {
        "alias": "blockedContacts",
        "args": (v23/*:: as any*/),
        "filters": [],
        "handle": "connection",
        "key": "inboxRelayLists_blockedContacts",
        "kind": "LinkedHandle",
        "name": "contacts"
      },
      {
        "alias": null,
        "args": (v24/*:: as any*/),
        "concreteType": "QueryBlocksConnection",
        "kind": "LinkedField",
        "name": "blocks",
        "plural": false,
        "selections": (v14/*:: as any*/),
        "storageKey": "blocks(filter:{\"active\":true},first:100)"
      },
      {
        "alias": null,
        "args": (v24/*:: as any*/),
        "filters": [],
        "handle": "connection",
        "key": "inboxRelayLists_blocks",
        "kind": "LinkedHandle",
        "name": "blocks"
      }
    ]
  },
  "params": {
    "cacheID": "c6aabbd836e0349070b21cbb64b4cbb7",
    "id": null,
    "metadata": {
      "connection": [
        {
          "count": null,
          "cursor": null,
          "direction": "forward",
          "path": [
            "mine"
          ]
        },
        {
          "count": null,
          "cursor": null,
          "direction": "forward",
          "path": [
            "waiting"
          ]
        },
        {
          "count": null,
          "cursor": null,
          "direction": "forward",
          "path": [
            "offered"
          ]
        },
        {
          "count": null,
          "cursor": null,
          "direction": "forward",
          "path": [
            "bot"
          ]
        },
        {
          "count": null,
          "cursor": null,
          "direction": "forward",
          "path": [
            "ended"
          ]
        },
        {
          "count": null,
          "cursor": null,
          "direction": "forward",
          "path": [
            "blocked"
          ]
        },
        {
          "count": null,
          "cursor": null,
          "direction": "forward",
          "path": [
            "contacts"
          ]
        },
        {
          "count": null,
          "cursor": null,
          "direction": "forward",
          "path": [
            "blockedContacts"
          ]
        },
        {
          "count": null,
          "cursor": null,
          "direction": "forward",
          "path": [
            "blocks"
          ]
        }
      ]
    },
    "name": "inboxRelayListsQuery",
    "operationKind": "query",
    "text": "query inboxRelayListsQuery(\n  $me: ID!\n) {\n  mine: conversations(first: 100, filter: {status: [ACTIVE], assigneeId: $me}) {\n    edges {\n      node {\n        id\n        sortKey\n        status\n        blocked\n        allowedActions\n        offerExpiresAt\n        endReason\n        assignee {\n          id\n          name\n        }\n        offeredTo {\n          id\n          name\n        }\n        contact {\n          id\n          name\n        }\n        messages(last: 1) {\n          edges {\n            node {\n              id\n              text\n            }\n          }\n        }\n        __typename\n      }\n      cursor\n    }\n    pageInfo {\n      endCursor\n      hasNextPage\n    }\n  }\n  waiting: conversations(first: 100, filter: {status: [WAITING]}) {\n    edges {\n      node {\n        id\n        sortKey\n        status\n        blocked\n        allowedActions\n        offerExpiresAt\n        endReason\n        assignee {\n          id\n          name\n        }\n        offeredTo {\n          id\n          name\n        }\n        contact {\n          id\n          name\n        }\n        messages(last: 1) {\n          edges {\n            node {\n              id\n              text\n            }\n          }\n        }\n        __typename\n      }\n      cursor\n    }\n    pageInfo {\n      endCursor\n      hasNextPage\n    }\n  }\n  offered: conversations(first: 100, filter: {status: [ASSIGNING]}) {\n    edges {\n      node {\n        id\n        sortKey\n        status\n        blocked\n        allowedActions\n        offerExpiresAt\n        endReason\n        assignee {\n          id\n          name\n        }\n        offeredTo {\n          id\n          name\n        }\n        contact {\n          id\n          name\n        }\n        messages(last: 1) {\n          edges {\n            node {\n              id\n              text\n            }\n          }\n        }\n        __typename\n      }\n      cursor\n    }\n    pageInfo {\n      endCursor\n      hasNextPage\n    }\n  }\n  bot: conversations(first: 100, filter: {status: [BOT]}) {\n    edges {\n      node {\n        id\n        sortKey\n        status\n        blocked\n        allowedActions\n        offerExpiresAt\n        endReason\n        assignee {\n          id\n          name\n        }\n        offeredTo {\n          id\n          name\n        }\n        contact {\n          id\n          name\n        }\n        messages(last: 1) {\n          edges {\n            node {\n              id\n              text\n            }\n          }\n        }\n        __typename\n      }\n      cursor\n    }\n    pageInfo {\n      endCursor\n      hasNextPage\n    }\n  }\n  ended: conversations(first: 100, filter: {status: [ENDED]}) {\n    edges {\n      node {\n        id\n        sortKey\n        status\n        blocked\n        allowedActions\n        offerExpiresAt\n        endReason\n        assignee {\n          id\n          name\n        }\n        offeredTo {\n          id\n          name\n        }\n        contact {\n          id\n          name\n        }\n        messages(last: 1) {\n          edges {\n            node {\n              id\n              text\n            }\n          }\n        }\n        __typename\n      }\n      cursor\n    }\n    pageInfo {\n      endCursor\n      hasNextPage\n    }\n  }\n  blocked: conversations(first: 100, filter: {status: [BLOCKED]}) {\n    edges {\n      node {\n        id\n        sortKey\n        status\n        blocked\n        allowedActions\n        offerExpiresAt\n        endReason\n        assignee {\n          id\n          name\n        }\n        offeredTo {\n          id\n          name\n        }\n        contact {\n          id\n          name\n        }\n        messages(last: 1) {\n          edges {\n            node {\n              id\n              text\n            }\n          }\n        }\n        __typename\n      }\n      cursor\n    }\n    pageInfo {\n      endCursor\n      hasNextPage\n    }\n  }\n  contacts(first: 100) {\n    edges {\n      node {\n        id\n        sortKey\n        name\n        status\n        channels {\n          id\n          reachable\n          allowedActions\n          channel {\n            id\n          }\n          activeBlock {\n            id\n          }\n        }\n        __typename\n      }\n      cursor\n    }\n    pageInfo {\n      endCursor\n      hasNextPage\n    }\n  }\n  blockedContacts: contacts(first: 100, filter: {status: BLOCKED}) {\n    edges {\n      node {\n        id\n        sortKey\n        name\n        status\n        channels {\n          id\n          reachable\n          allowedActions\n          channel {\n            id\n          }\n          activeBlock {\n            id\n          }\n        }\n        __typename\n      }\n      cursor\n    }\n    pageInfo {\n      endCursor\n      hasNextPage\n    }\n  }\n  blocks(first: 100, filter: {active: true}) {\n    edges {\n      node {\n        id\n        sortKey\n        active\n        notes\n        expiresAt\n        suppressedMessageCount\n        contactChannel {\n          id\n          contact {\n            id\n            name\n          }\n        }\n        __typename\n      }\n      cursor\n    }\n    pageInfo {\n      endCursor\n      hasNextPage\n    }\n  }\n}\n"
  }
};
})();

(node as any).hash = "c07003e0d2fb65d94a9fd123abfe0c26";

export default node;
